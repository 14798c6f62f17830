import { escapeHtml } from "../../pages/html.js";
import type { Finding, FindingCode, Fix } from "../finding.js";
import { findingAnchor } from "./anchors.js";

const SIDES: Readonly<Record<Fix["side"], string>> = {
  client: "On the client",
  proxy: "On the proxy",
  server: "On the server",
};

interface SharedFix extends Fix {
  readonly against: readonly FindingCode[];
}

/** Returns the section with the fixes, grouped by side. */
export function fixesSection(findings: readonly Finding[]): string {
  const fixes = sharedFixes(findings);
  if (fixes.length === 0) return "";
  const sides = (Object.keys(SIDES) as Fix["side"][]).flatMap((side) => {
    const here = fixes.filter((fix) => fix.side === side);
    if (here.length === 0) return [];
    return `<div class="card"><h3>${SIDES[side]}</h3>${here.map(fixItem).join("")}</div>`;
  });
  return `<section aria-labelledby="fixes">
<h2 id="fixes">What to change</h2>
<div class="sides">
${sides.join("\n")}
</div>
</section>`;
}

// A fix against several findings appears once.
function sharedFixes(findings: readonly Finding[]): SharedFix[] {
  const shared = new Map<string, SharedFix>();
  for (const { code, fixes } of findings) {
    for (const fix of fixes) {
      const key = JSON.stringify([fix.side, fix.text, fix.code]);
      shared.set(key, { ...fix, against: [...(shared.get(key)?.against ?? []), code] });
    }
  }
  return [...shared.values()];
}

function fixItem({ text, code, against }: SharedFix): string {
  const links = against.map((one) => `<a href="#${findingAnchor(one)}">${one}</a>`).join(", ");
  return `<div class="fix"><p>${escapeHtml(text)}</p>${code === undefined ? "" : `<div class="copy"><pre>${escapeHtml(code)}</pre></div>`}<p class="for">against ${links}</p></div>`;
}
