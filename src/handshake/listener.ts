/** Is told what happens to a handshake. One object serves all handshakes. */
export interface HandshakeListener<H> {
  /** Somebody wants the content, but nobody has accepted the expectations. */
  onUndecided(handshake: H): void;
  /** No byte has come for `bodyTimeoutMs` although the application asks for some. */
  onIdle(handshake: H): void;
  /** The content falls behind the server's own rate. */
  onSlow(handshake: H): void;
  /** Accepted: the 100 is sent, or the content is read, or the response ends without either. */
  onAccept(handshake: H): void;
  /** The first content has come, `waitedMs` milliseconds after the 100. */
  onContent(handshake: H, waitedMs: number): void;
  /** A verdict has been reached: what waits for it may continue. */
  onVerdict(handshake: H): void;
  /** Content has passed the handshake by: limits have not counted it. */
  onMissedBytes(handshake: H): void;
  /** The response is finished or the client has left, and the `onClose` callbacks were called. */
  onClosed(handshake: H): void;
}
