import type { Socket } from "node:net";

/** The buffer for discarded content, shared by all sockets. */
const SINK = new Uint8Array(64 * 1024);

interface Handle {
  useUserBuffer?(buffer: Uint8Array): void;
}

type Carrier = Socket & { _handle?: Handle | null } & Record<symbol, unknown>;

/**
 * Makes a socket read into one shared buffer instead of a new buffer for each read. The allocation and collection of
 * those buffers is more than half of the cost of discarding content.
 *
 * `net.Socket` has the option `onread` for this, but only its constructor takes it. This function does what the
 * constructor does, with its private `kBuffer`, `kBufferCb` and `useUserBuffer`. If one of them is missing, the socket
 * stays as it is. Wire test "refused content is read into one buffer".
 *
 * @param count - is passed the number of bytes that have come; returns whether to read on.
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
