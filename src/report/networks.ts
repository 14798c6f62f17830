import { isIPv6 } from "node:net";
import type { Row, Rows } from "./summary.js";

/** The most addresses that are listed for one network. */
const MOST_ADDRESSES = 5;
const MOST_NAMES = 4_096;
/** The first three groups of an IPv6 address, as far as they are written out. */
const GROUPS = /^([\da-f]{1,4}):([\da-f]{1,4}):([\da-f]{1,4}):/i;
const IPV4 = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/;

/** Finds the network of an address, and remembers it: logs repeat their addresses. */
export class NetworkNames {
  readonly #names = new Map<string, string>();

  /** Returns the network of an address: its /24 or /48. Returns other text as it is. */
  of(address: string): string {
    let name = this.#names.get(address);
    if (name !== undefined) return name;
    name = networkOf(address);
    if (this.#names.size >= MOST_NAMES) this.#names.clear();
    this.#names.set(address, name);
    return name;
  }
}

/** Returns the /24 of an IPv4 address and the /48 of an IPv6 address; other text as it is. */
export function networkOf(address: string): string {
  const start = IPV4.exec(address)?.[1];
  if (start !== undefined) return `${start}.0/24`;
  if (!isIPv6(address)) return address;
  const groups = (GROUPS.exec(address)?.slice(1) ?? firstGroups(address)).map((group) =>
    Number.parseInt(group, 16).toString(16),
  );
  while (groups.at(-1) === "0") groups.pop();
  return `${groups.join(":")}::/48`;
}

// RFC 4291 §2.2: `::` stands for as many groups of zeros as are missing.
function firstGroups(address: string): string[] {
  const [bare = ""] = address.split("%", 1);
  const [head = "", tail] = bare.split("::", 2);
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  // An IPv4 address at the end stands for two groups.
  const length = left.length + right.length + (bare.includes(".") ? 1 : 0);
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - length }, () => "0");
  return [...left, ...zeros, ...right].slice(0, 3);
}

/** Lists the most refused addresses of each network. */
export function networkRows(networks: Rows, { rows: addresses }: Rows): Rows {
  const inside = new Map<string, Row[]>();
  for (const row of addresses) {
    const name = networkOf(row.key);
    const list = inside.get(name);
    if (list) list.push(row);
    else inside.set(name, [row]);
  }
  const rows = networks.rows.map((row) => {
    const listed = (inside.get(row.key) ?? []).slice(0, MOST_ADDRESSES);
    const others = listed.reduce((rest, { count }) => rest - count, row.count);
    // Other text than an address is its own network.
    return listed[0]?.key === row.key ? row : { ...row, addresses: { rows: listed, others: Math.max(0, others) } };
  });
  return { rows, others: networks.others };
}
