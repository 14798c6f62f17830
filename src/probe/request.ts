/** Where a URL's server listens. */
interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

/** The address in a URL; an IPv6 one without its brackets. */
export function addressOf(url: URL): ServerAddress {
  const isTls = url.protocol === "https:";
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) || (isTls ? 443 : 80), isTls };
}

/** A forward proxy. */
export interface ProxyAddress extends ServerAddress {
  /** The value of `Proxy-Authorization`. */
  readonly authorization?: string;
}

/** What to probe and how, checked. */
export interface ProbeRequest {
  readonly url: URL;
  /** A second URL, which reaches the origin directly. */
  readonly via?: URL;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly content: Buffer;
  /** Content for pushing without waiting: more than sockets buffer, where the user did not say how much. */
  readonly pushedContent: Buffer;
  readonly timeoutMs: number;
  readonly isInsecure: boolean;
  /** Addresses by `host:port`. */
  readonly resolve: ReadonlyMap<string, string>;
  readonly proxy?: ProxyAddress;
  readonly only?: ReadonlySet<string>;
}
