// The table of docs/proxies.md: written from claims, and read again to compare them.
import { isWhole } from "./verdict.mjs";

/**
 * Its columns, as `text`. Of a count, it is a claim whether it is the whole.
 */
const COLUMNS = [
  { title: "origin sees `Expect`", text: ({ seesExpect, addsExpect }) => (addsExpect ? "yes, always" : seesExpect) },
  { title: "`100` comes from", text: ({ continueFrom }) => continueFrom },
  { title: "content before the refusal", text: ({ sent }) => (sent > 0 ? "yes" : "no") },
  { title: "uploads stored", text: ({ uploads }) => share(uploads), isCount: true },
  { title: "refusals seen: 1 MiB, `Expect`", text: ({ waiting }) => share(waiting), isCount: true },
  { title: "16 MiB, no `Expect`", text: ({ pushed }) => share(pushed), isCount: true },
  { title: "curl, 1 MiB", text: ({ curlWaiting }) => share(curlWaiting), isCount: true },
  { title: "curl, 16 MiB", text: ({ curlPushed }) => share(curlPushed), isCount: true },
  { title: "unknown expectation", text: ({ unknown }) => unknown.join(", ") },
  { title: "next request, same connection", text: ({ next }) => share(next), isCount: true },
  { title: "another client's requests", text: ({ others }) => share(others), isCount: true },
];
const VERDICT = "verdict";
/** What is lost there is lost in races: another run may find less of it, or none. */
const RACY = ["avoid", "who waits"];
/** What two 100s in a race, or one of them, are taken for. */
const RACY_TITLES = [VERDICT, "`100` comes from"];

const share = ({ good, of }) => `${good}/${of}`;
const bold = (text) => `**${text}**`;
const plain = (text) => text.replaceAll("**", "");

/** @param results - of `playAll`. */
export function tableOf(results) {
  const titles = ["configuration", VERDICT, ...COLUMNS.map(({ title }) => title)];
  return [titles, titles.map(() => "---"), ...results.map(rowOf)].map(line).join("\n");
}

function rowOf({ setup, claims, skipped }) {
  const name = `[${setup.name}](../${setup.hops[0].files[0]})${setup.kind === "chain" ? "" : ` (${setup.kind})`}`;
  if (!claims) return [name, `skipped: ${skipped}`, ...COLUMNS.map(() => "")];
  return [name, bold(claims.verdict), ...COLUMNS.map(({ text }) => text(claims))];
}

const line = (cells) => `| ${cells.join(" | ")} |`;

/** What a page claims, by the name of the set-up. */
export function readTable(page) {
  const lines = page.split("\n").filter((text) => text.startsWith("| "));
  const rows = lines.slice(2).map((text) => text.slice(2, -2).split(" | "));
  return new Map(rows.map(([name, ...cells]) => [/^\[(.*)\]\(/.exec(name)?.[1] ?? name, cells]));
}

/** Where a page claims something else than this run found; of a set-up that was skipped there is nothing to compare. */
export function differences(page, results) {
  const claimed = readTable(page);
  return results
    .filter(({ claims }) => claims)
    .flatMap((result) => rowDifferences(claimed.get(result.setup.name), result));
}

function rowDifferences(claimed, result) {
  const { name } = result.setup;
  if (!claimed) return [`${name}: not in the table`];
  const columns = [{ title: VERDICT }, ...COLUMNS];
  const isRacy = RACY.includes(plain(claimed[0]));
  const found = rowOf(result).slice(1);
  return columns.flatMap(({ title, isCount }, i) => {
    const [was, is] = isCount ? [wholeness(claimed[i]), wholeness(found[i])] : [plain(claimed[i]), plain(found[i])];
    if (was === is || (isRacy && (isCount || RACY_TITLES.includes(title)))) return [];
    return [`${name}: ${title}: the page says ${was}, this run found ${is}`];
  });
}

function wholeness(text) {
  const [good, of] = text.split("/").map(Number);
  return isWhole({ good, of }) ? "all" : "not all";
}
