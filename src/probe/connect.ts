import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import { ProbeFault } from "./fault.js";
import { addressOf, type ProbeRequest, type ProxyAddress } from "./request.js";
import { fieldOf, ResponseParser } from "./response-parser.js";
import { escaped, Shown } from "./shown.js";

/** A forward proxy answered CONNECT with something else than a tunnel. */
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
 * Opens a connection to a URL's host, through the forward proxy where there is one.
 *
 * @param alpn - protocols to offer on TLS.
 * @throws {ProbeFault} with what went wrong, in time.
 */
export async function connect(request: ProbeRequest, url: URL, alpn: readonly string[]): Promise<net.Socket> {
  const { host, port, isTls } = addressOf(url);
  const { proxy, timeoutMs } = request;
  const deadline = performance.now() + timeoutMs;
  const left = () => Math.max(1, deadline - performance.now());
  if (!proxy) {
    const address = request.resolve.get(`${host}:${port}`) ?? host;
    const socket = await open(
      net.connect({ host: address, port, allowHalfOpen: true }),
      "connect",
      left(),
      `${url.host}`,
    );
    return isTls ? secure(socket, host, alpn, request.isInsecure, left()) : socket;
  }
  const named = `the forward proxy ${proxy.host}:${proxy.port}`;
  const bare = await open(
    net.connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true }),
    "connect",
    left(),
    named,
  );
  const toProxy = proxy.isTls ? await secure(bare, proxy.host, ["http/1.1"], request.isInsecure, left()) : bare;
  if (!isTls) return toProxy;
  await tunnel(toProxy, `${host.includes(":") ? `[${host}]` : host}:${port}`, proxy, left());
  return secure(toProxy, host, alpn, request.isInsecure, left());
}

async function secure(
  socket: net.Socket,
  host: string,
  alpn: readonly string[],
  isInsecure: boolean,
  timeoutMs: number,
): Promise<net.Socket> {
  // Whatever breaks below is told by the TLS socket, too.
  socket.on("error", () => {});
  const wrapped = tls.connect({
    socket,
    ...(net.isIP(host) === 0 && { servername: host }),
    host,
    ALPNProtocols: [...alpn],
    rejectUnauthorized: !isInsecure,
  });
  try {
    return await open(wrapped, "secureConnect", timeoutMs, host);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function open<S extends net.Socket>(socket: S, event: string, timeoutMs: number, name: string): Promise<S> {
  try {
    await once(socket, event, { signal: AbortSignal.timeout(Math.ceil(timeoutMs)) });
  } catch (error) {
    socket.on("error", () => {});
    socket.destroy();
    throw faultOf(error, event === "secureConnect", name, timeoutMs);
  }
  socket.setNoDelay(true);
  return socket;
}

// RFC 9110 §9.3.6
async function tunnel(socket: net.Socket, authority: string, proxy: ProxyAddress, timeoutMs: number): Promise<void> {
  const parser = new ResponseParser(true);
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

const CERTIFICATE_CODES =
  /^(?:ERR_TLS_CERT|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH|ERROR_IN_CERT)/;

const TLS_REASONS: Readonly<Record<string, string>> = {
  ECONNRESET: "the connection was closed in the handshake",
  ERR_SSL_WRONG_VERSION_NUMBER: "the server speaks no TLS on this port; should the URL begin with http://?",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "the server speaks no TLS on this port; should the URL begin with http://?",
};

function faultOf(error: unknown, isTls: boolean, name: string, timeoutMs: number): ProbeFault {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const { code = "", message = "", name: kind } = (first ?? {}) as NodeJS.ErrnoException;
  if (kind === "AbortError" || kind === "TimeoutError") {
    const what = isTls ? "TLS handshake" : "connection";
    return new ProbeFault("connect-timeout", `no ${what} with ${name} within ${Math.round(timeoutMs)} ms`);
  }
  if (CERTIFICATE_CODES.test(code)) {
    return new ProbeFault(
      "certificate",
      `the certificate of ${name} does not hold: ${escaped(message)}; --insecure passes over it`,
    );
  }
  if (isTls) {
    return new ProbeFault("tls", `no TLS with ${name}: ${TLS_REASONS[code] ?? escaped(code || message)}`);
  }
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_NODATA":
      return new ProbeFault("dns", `the host name of ${name} cannot be resolved (${code})`);
    case "ECONNREFUSED":
      return new ProbeFault("refused", `${name} refuses the connection: nothing listens there`);
    case "ETIMEDOUT":
      return new ProbeFault("connect-timeout", `no connection with ${name}: it timed out`);
    default:
      return new ProbeFault("unreachable", `no connection with ${name}: ${escaped(code || message)}`);
  }
}
