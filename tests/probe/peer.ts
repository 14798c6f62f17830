import type * as net from "node:net";
import type { Behaviour } from "../../src/testing/misbehave/behaviour.js";
import { listenRaw as listen, type Misbehaving, misbehave } from "../../src/testing/misbehave/misbehave.js";

export { Reader } from "../../src/testing/misbehave/reader.js";
export { CONTINUE, response, type Served } from "../../src/testing/misbehave/served.js";
export type { Behaviour as Trouble };

const peers = new Set<Pick<Misbehaving, "close">>();

/** For `afterAll`. */
export async function closePeers(): Promise<void> {
  await Promise.all([...peers].map((peer) => peer.close()));
  peers.clear();
}

/** A server that does what `trouble` says, and else what is right. */
export async function startPeer(trouble?: Behaviour): Promise<Misbehaving> {
  const peer = await misbehave(trouble);
  peers.add(peer);
  return peer;
}

/** A server whose connections are dealt with as they are. */
export async function listenRaw(serve: (socket: net.Socket) => unknown): Promise<Omit<Misbehaving, "heads">> {
  const peer = await listen(serve);
  peers.add(peer);
  return peer;
}
