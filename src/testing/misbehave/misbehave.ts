import { once } from "node:events";
import * as net from "node:net";
import { optionError } from "../../support/errors.js";
import type { Behaviour } from "./behaviour.js";
import { BEHAVIOURS, type BehaviourName } from "./behaviours.js";
import { type Head, Reader } from "./reader.js";
import { CONTINUE, response, Served } from "./served.js";

/** A server that misbehaves. */
export interface Misbehaving {
  /** The URL of an upload. */
  readonly url: string;
  readonly port: number;
  /** Every header section that has arrived. */
  readonly heads: readonly Head[];
  /** Ends the server and its connections. */
  close(): Promise<void>;
}

/**
 * Starts a server that does one thing wrong, for tests of clients. It listens on 127.0.0.1.
 *
 * @param behaviour - a name, or a function that treats the requests that it wants to, and returns false for the others.
 *   Without one, the server is correct.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a name that does not exist.
 * @example const server = await misbehave("refuse-in-body-and-reset");
 */
export async function misbehave(behaviour: BehaviourName | Behaviour = () => false): Promise<Misbehaving> {
  const act: Behaviour | undefined = typeof behaviour === "function" ? behaviour : BEHAVIOURS[behaviour];
  if (!act) throw optionError("misbehave(behaviour)", behaviour, `one of ${Object.keys(BEHAVIOURS).join(", ")}`);
  const heads: Head[] = [];
  const server = await listenRaw(async (socket) => {
    const reader = new Reader(socket);
    for (;;) {
      const head = await reader.head();
      if (!head) return void socket.end();
      heads.push(head);
      const served = new Served(socket, head, reader);
      if (!(await act(served))) await behave(served);
      if (socket.writableEnded || socket.destroyed) return;
    }
  });
  return { ...server, heads };
}

/** Starts a server whose connections are treated by `serve` alone. */
export async function listenRaw(serve: (socket: net.Socket) => unknown): Promise<Omit<Misbehaving, "heads">> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/upload`,
    port,
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Does what a correct server does. */
async function behave(served: Served): Promise<void> {
  const { head } = served;
  const members = (head.expect ?? "").split(",").filter((member) => member.trim() !== "");
  const isOld = head.version === "1.0";
  if (!isOld && members.some((member) => member.trim().toLowerCase() !== "100-continue")) {
    return served.end(response("417 Expectation Failed", ["Connection: close"]));
  }
  if (!head.hasContent) return served.send(response("200 OK", [], "ok"));
  if (!isOld && members.length > 0 && !served.reader.hasBytes) served.send(CONTINUE);
  await served.content();
  if (isOld) served.end(response("201 Created", ["Connection: close"]));
  else served.send(response("201 Created"));
}
