import { ProbeFault } from "../fault.js";
import { escaped } from "../shown.js";

const CERTIFICATE_CODES =
  /^(?:ERR_TLS_CERT|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH|ERROR_IN_CERT)/;

const TLS_REASONS: Readonly<Record<string, string>> = {
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    "the server refuses the handshake; it may want a client certificate: --cert and --key",
  "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE":
    "the server refuses the handshake; it may want a client certificate: --cert and --key",
  ECONNRESET: "the connection was closed in the handshake",
  ERR_SSL_WRONG_VERSION_NUMBER: "the server speaks no TLS on this port; should the URL begin with http://?",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "the server speaks no TLS on this port; should the URL begin with http://?",
};

/**
 * Turns a failure to connect into a fault with a message for the user.
 *
 * @param isTls - whether the TLS handshake failed.
 * @param name - the peer, as the message names it.
 */
export function faultOf(error: unknown, isTls: boolean, name: string, timeoutMs: number): ProbeFault {
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
