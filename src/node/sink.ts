import type { Socket } from "node:net";

/** Where content goes that nobody wants, from whichever socket. */
const SINK = new Uint8Array(64 * 1024);

interface Handle {
  useUserBuffer?(buffer: Uint8Array): void;
}

type Carrier = Socket & { _handle?: Handle | null } & Record<symbol, unknown>;

/**
 * Has what arrives on a socket read into one buffer for all sockets, instead of a new one for each read: those, and the
 * garbage collection that they call for, are more than half of what it costs to throw content away.
 *
 * The option `onread` of `net.Socket` does this for sockets that are yet to be made, and Node has no way to set it
 * later: this does what the constructor does, with its `kBuffer`, `kBufferCb` and `useUserBuffer`. Where one of them is
 * missing, the socket stays as it is. Wire test "refused content is read into one buffer".
 *
 * @param count - told how many bytes have come; answers whether to read on.
 */
export function readIntoSink(socket: Socket, count: (bytes: number) => boolean): void {
  const carrier = socket as Carrier;
  const buffer = symbolOf(carrier, "kBuffer");
  const callback = symbolOf(carrier, "kBufferCb");
  if (!buffer || !callback || typeof carrier._handle?.useUserBuffer !== "function") return;
  carrier[buffer] = SINK;
  carrier[callback] = count;
  carrier._handle.useUserBuffer(SINK);
}

const symbols = new Map<string, symbol>();

function symbolOf(socket: Socket, name: string): symbol | undefined {
  const known = symbols.get(name);
  if (known) return known;
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
  if (symbol) symbols.set(name, symbol);
  return symbol;
}
