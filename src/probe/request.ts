/** The address of a server. */
interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

/** Returns the address in a URL. IPv6 addresses have no brackets. */
export function addressOf(url: URL): ServerAddress {
  const isTls = url.protocol === "https:";
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) || (isTls ? 443 : 80), isTls };
}

/** A forward proxy. */
export interface ProxyAddress extends ServerAddress {
  /** The value of `Proxy-Authorization`. */
  readonly authorization?: string;
}

/** The validated options of a probe. */
export interface ProbeRequest {
  readonly url: URL;
  /** A second URL that reaches the origin directly. */
  readonly via?: URL;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly content: Buffer;
  /** The content to send without waiting. The default is more than sockets buffer. */
  readonly pushedContent: Buffer;
  readonly timeoutMs: number;
  readonly isInsecure: boolean;
  /** The client's certificate and key, and the authorities to trust, as PEM. */
  readonly tls?: { readonly cert?: Buffer; readonly key?: Buffer; readonly ca?: Buffer };
  /** Addresses to connect to, by `host:port`. */
  readonly resolve: ReadonlyMap<string, string>;
  readonly proxy?: ProxyAddress;
  readonly only?: ReadonlySet<string>;
  /** Statuses of uploads that are meant, so that they are no findings. */
  readonly expectedStatuses?: readonly number[];
  /** Whether to ask before uploading, too. */
  readonly asks?: boolean;
}
