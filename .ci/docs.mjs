// npm run docs               writes what is generated: the picture of the rooms, the reports of the public API for reviews,
//                            the API reference, the picture of the README, and the manual page of the command
// npm run docs -- --check    fails if one of them differs, or if a page has a dead link, an unknown word, or a sentence that
//                            must be read twice; a part of `npm run lint`
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

const STEPS = values.check
  ? [
      ["reference.mjs", "--check"],
      ["words/check.mjs"],
      ["api.mjs"],
      ["architecture.mjs", "--check"],
      ["handshake-picture.mjs", "--check"],
      ["schemas.mjs", "--check"],
      ["man.mjs", "--check"],
    ]
  : [
      ["reference.mjs"],
      ["api.mjs", "--write"],
      ["architecture.mjs"],
      ["handshake-picture.mjs"],
      ["schemas.mjs"],
      ["man.mjs"],
    ];

// Two at a time.
const rest = STEPS.values();
async function work() {
  for (const [file, ...args] of rest) {
    const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], { stdio: "inherit" });
    const [code] = await once(child, "close");
    if (code !== 0) process.exitCode = 1;
  }
}
await Promise.all([work(), work()]);
