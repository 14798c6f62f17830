import type { Socket } from "node:net";

/** After so many turns of the event loop without a byte, nothing more is to come. */
const QUIET_TURNS = 3;

/**
 * Lets a client's socket read what has arrived before it is destroyed after a failed write.
 *
 * A server that refuses an upload may close the connection while the content is on its way. The next write fails then,
 * and Node destroys the socket although the response may still be unread in it (docs/facts.md, "Responses behind a
 * failed write"). Even without that, a stream that has failed drops what is pushed into it. So this defers `destroy()`,
 * and hands on itself what is pushed meanwhile. Node has no public way to read on.
 *
 * @returns undoes it, for the next user of the socket.
 */
export function readOnAfterFailedWrite(socket: Socket): () => void {
  const { destroy, push } = socket;
  let isReading = false;
  const readOn = (error: Error, bytesRead: number, turns: number): void => {
    setImmediate(() => {
      if (socket.bytesRead > bytesRead) readOn(error, socket.bytesRead, 0);
      else if (turns < QUIET_TURNS) readOn(error, bytesRead, turns + 1);
      else destroy.call(socket, error);
    });
  };
  const destroyLater = (error?: NodeJS.ErrnoException): Socket => {
    if (isReading || !/^writev?$/.test(error?.syscall ?? "")) return destroy.call(socket, error);
    isReading = true;
    socket.push = (chunk: unknown) => (chunk === null ? false : socket.emit("data", chunk));
    readOn(error as Error, socket.bytesRead, 0);
    return socket;
  };
  socket.destroy = destroyLater;
  return () => {
    if (socket.destroy !== destroyLater) return;
    socket.destroy = destroy;
    socket.push = push;
  };
}
