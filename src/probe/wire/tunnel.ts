import type { Socket } from "node:net";
import { afterRealMs } from "../../support/real-timer.js";
import { ProbeFault } from "../fault.js";
import type { ProxyAddress } from "../request.js";
import { escaped, Shown } from "../shown.js";
import { faultOf } from "./connect-faults.js";
import { fieldOf } from "./header-section.js";
import { type Parsed, ResponseParser } from "./response-parser.js";

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
export function tunnel(socket: Socket, authority: string, proxy: ProxyAddress, timeoutMs: number): Promise<void> {
  const parser = new ResponseParser({ isTunnel: true });
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`, "User-Agent: express-expectations-probe"];
  if (proxy.authorization !== undefined) lines.push(`Proxy-Authorization: ${proxy.authorization}`);
  return new Promise((resolve, reject) => {
    const settle = (fault?: Error) => {
      cancel();
      socket.off("data", read).off("end", end).off("close", end).off("error", failed);
      if (!fault) {
        socket.pause();
        return resolve();
      }
      socket.on("error", () => {});
      socket.destroy();
      reject(fault);
    };
    const read = (chunk: Buffer) => {
      for (const parsed of parser.push(chunk)) {
        if (parsed.kind === "complete" || (parsed.kind === "head" && parsed.status < 200)) continue;
        return settle(parsed.kind === "malformed" ? malformed(parsed) : refused(parsed, authority));
      }
    };
    const end = () =>
      settle(new ProbeFault("closed", "the forward proxy closed the connection instead of answering CONNECT"));
    const failed = (error: Error) => settle(faultOf(error, false, "the forward proxy", timeoutMs));
    const cancel = afterRealMs(timeoutMs, () =>
      settle(new ProbeFault("connect-timeout", `no answer to CONNECT within ${Math.round(timeoutMs)} ms`)),
    );
    socket.on("data", read).on("end", end).on("close", end).on("error", failed);
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  });
}

function malformed({ reason, sample }: Extract<Parsed, { kind: "malformed" }>): ProbeFault {
  return new ProbeFault("malformed", `the forward proxy: ${reason}: ${escaped(sample.slice(0, 80))}`);
}

function refused({ status, section }: Extract<Parsed, { kind: "head" }>, authority: string): Error | undefined {
  if (status < 300) return undefined;
  const server = fieldOf(section, "server");
  const statusLine = new Shown([]).line(section.split(/\r?\n/)[0] ?? "");
  const by = server === undefined ? "" : ` (Server: ${escaped(server)})`;
  return new TunnelRefused(status, section, `the forward proxy refused the tunnel to ${authority}: ${statusLine}${by}`);
}
