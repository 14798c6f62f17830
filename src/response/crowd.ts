import type { Socket } from "node:net";

/**
 * Counts sockets by their remote address, so that one address that holds many cannot push out the sockets of others.
 *
 * Made only while there are too many sockets, since each look at an address costs a system call.
 */
export class Crowd {
  readonly #counts = new Map<string | undefined, number>();

  constructor(sockets: Iterable<Socket>) {
    for (const socket of sockets) this.add(socket);
  }

  add({ remoteAddress }: Socket): void {
    this.#counts.set(remoteAddress, (this.#counts.get(remoteAddress) ?? 0) + 1);
  }

  remove({ remoteAddress }: Socket): void {
    const others = (this.#counts.get(remoteAddress) ?? 0) - 1;
    if (others > 0) this.#counts.set(remoteAddress, others);
    else this.#counts.delete(remoteAddress);
  }

  /** The address that holds most sockets. */
  largest(): string | undefined {
    let most = 0;
    let largest: string | undefined;
    for (const [address, count] of this.#counts) {
      if (count <= most) continue;
      most = count;
      largest = address;
    }
    return largest;
  }
}
