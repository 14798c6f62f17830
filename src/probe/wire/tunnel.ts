import { once } from "node:events";
import type { Socket } from "node:net";
import { ProbeFault } from "../fault.js";
import type { ProxyAddress } from "../request.js";
import { escaped, Shown } from "../shown.js";
import { faultOf } from "./connect-faults.js";
import { fieldOf } from "./header-section.js";
import { ResponseParser } from "./response-parser.js";

/** A forward proxy refused CONNECT. */
export class TunnelRefused extends ProbeFault {
  constructor(
    readonly status: number,
    readonly section: string,
    message: string,
  ) {
    super("tunnel-refused", message);
  }
}

/**
 * Asks a forward proxy for a tunnel (RFC 9110 §9.3.6).
 *
 * @param authority - `host:port` of the origin.
 * @throws {TunnelRefused} for a response other than 2xx.
 * @throws {ProbeFault} if there is no response in time.
 */
export async function tunnel(socket: Socket, authority: string, proxy: ProxyAddress, timeoutMs: number): Promise<void> {
  const parser = new ResponseParser({ isTunnel: true });
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`, "User-Agent: express-expectations-probe"];
  if (proxy.authorization !== undefined) lines.push(`Proxy-Authorization: ${proxy.authorization}`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const signal = AbortSignal.timeout(Math.ceil(timeoutMs));
  const end = () => {
    socket.destroy();
    return new ProbeFault("closed", "the forward proxy closed the connection instead of answering CONNECT");
  };
  for (;;) {
    let chunk: unknown;
    try {
      [chunk] = (await Promise.race([once(socket, "data", { signal }), once(socket, "end", { signal })])) as unknown[];
    } catch (error) {
      socket.destroy();
      throw faultOf(error, false, "the forward proxy", timeoutMs);
    }
    if (!Buffer.isBuffer(chunk)) throw end();
    for (const parsed of parser.push(chunk)) {
      if (parsed.kind === "malformed") {
        socket.destroy();
        throw new ProbeFault(
          "malformed",
          `the forward proxy: ${parsed.reason}: ${escaped(parsed.sample.slice(0, 80))}`,
        );
      }
      if (parsed.kind !== "head" || parsed.status < 200) continue;
      if (parsed.status < 300) {
        socket.pause();
        return;
      }
      socket.destroy();
      const server = fieldOf(parsed.section, "server");
      const statusLine = new Shown([]).line(parsed.section.split(/\r?\n/)[0] ?? "");
      throw new TunnelRefused(
        parsed.status,
        parsed.section,
        `the forward proxy refused the tunnel to ${authority}: ${statusLine}${server === undefined ? "" : ` (Server: ${escaped(server)})`}`,
      );
    }
  }
}
