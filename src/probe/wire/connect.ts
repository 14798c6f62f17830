import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import { ProbeFault } from "../fault.js";
import { addressOf, type ProbeRequest } from "../request.js";
import { escaped } from "../shown.js";
import { faultOf } from "./connect-faults.js";
import { tunnel } from "./tunnel.js";

/** How to connect. */
export type ConnectOptions = Pick<ProbeRequest, "timeoutMs" | "isInsecure"> & Partial<ProbeRequest>;

/**
 * Opens a connection to a URL's host, through the forward proxy if there is one.
 *
 * @param alpn - the protocols to offer in the TLS handshake.
 * @throws {ProbeFault} if it fails or takes longer than `request.timeoutMs`.
 */
export async function connect(request: ConnectOptions, url: URL, alpn: readonly string[]): Promise<net.Socket> {
  const { host, port, isTls } = addressOf(url);
  const { proxy, timeoutMs } = request;
  const deadline = performance.now() + timeoutMs;
  const left = () => Math.max(1, deadline - performance.now());
  if (!proxy) {
    const address = request.resolve?.get(`${host}:${port}`) ?? host;
    const socket = await open(
      net.connect({ host: address, port, allowHalfOpen: true }),
      "connect",
      left(),
      `${url.host}`,
    );
    return isTls ? secure(socket, host, alpn, request, left()) : socket;
  }
  const named = `the forward proxy ${proxy.host}:${proxy.port}`;
  const bare = await open(
    net.connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true }),
    "connect",
    left(),
    named,
  );
  const toProxy = proxy.isTls ? await secure(bare, proxy.host, ["http/1.1"], request, left()) : bare;
  if (!isTls) return toProxy;
  await tunnel(toProxy, `${host.includes(":") ? `[${host}]` : host}:${port}`, proxy, left());
  return secure(toProxy, host, alpn, request, left());
}

async function secure(
  socket: net.Socket,
  host: string,
  alpn: readonly string[],
  { isInsecure, tls: pem }: ConnectOptions,
  timeoutMs: number,
): Promise<net.Socket> {
  // The TLS socket reports the same error.
  socket.on("error", () => {});
  const wrapped = connectTls({
    ...pem,
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

// A key that does not fit the certificate throws at once.
function connectTls(options: tls.ConnectionOptions): tls.TLSSocket {
  try {
    return tls.connect(options);
  } catch (error) {
    options.socket?.destroy();
    throw new ProbeFault("tls", `the certificate or the key cannot be used: ${escaped((error as Error).message)}`);
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
