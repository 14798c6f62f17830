// The JSON Schemas of what `probe --json` and `report --json` print, from their types.
//
//   node .ci/schemas.mjs            writes them to src/schema
//   node .ci/schemas.mjs --check    fails if one of them differs
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { createGenerator } from "ts-json-schema-generator";

const repository = resolve(import.meta.dirname, "..");
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

const SCHEMAS = [
  { file: "probe-result.json", type: "ProbeResult", source: "src/probe/result.ts", title: "probe --json" },
  { file: "report-summary.json", type: "Summary", source: "src/report/summary.ts", title: "report --json" },
];

for (const { file, type, source, title } of SCHEMAS) {
  const path = join(repository, "src/schema", file);
  const text = `${JSON.stringify(schemaOf(type, source, title), null, 2)}\n`;
  if (!values.check) writeFileSync(path, text);
  else if (text !== readFileSync(path, "utf8")) {
    process.stdout.write(`src/schema/${file} differs from ${source}. If that is meant: npm run docs\n`);
    process.exitCode = 1;
  }
}

function schemaOf(type, source, title) {
  const generator = createGenerator({
    path: join(repository, source),
    tsconfig: join(repository, "tsconfig.build.json"),
    type,
    skipTypeCheck: true,
    // Later versions may add fields.
    additionalProperties: true,
    topRef: false,
  });
  const { $schema, ...rest } = generator.createSchema(type);
  return { $schema, title: `express-expectations ${title}`, ...rest };
}
