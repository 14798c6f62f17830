import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as path from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import { Ajv } from "ajv";
import { main } from "../../src/cli/main.js";
import { dashboard } from "../../src/dashboard/dashboard.js";
import { attach, expectations, maxSize, silent } from "../../src/index.js";
import { publish } from "../../src/observe/diagnostics.js";
import type { ProbeResult, Summary } from "../../src/schema/schema.js";
import { placeChannel } from "../../src/support/places.js";
import { fakeTerminal, LOGGERS, linesOf, REFUSAL } from "../helpers/report-log.js";
import { closeServers, listen, start, startAttached, store } from "../helpers/servers.js";
import { runProbe } from "../probe/command.js";
import { closePeers, listenRaw } from "../probe/peer.js";

afterEach(async () => {
  await closePeers();
  await closeServers();
});

/** A schema that allows no field that it does not name: the published one lets later versions add some. */
function strict(name: string) {
  const file = path.resolve(__dirname, "../../src/schema", name);
  const schema = JSON.parse(readFileSync(file, "utf8"), (_key, value) => {
    return value?.type === "object" && value.properties ? { additionalProperties: false, ...value } : value;
  });
  return new Ajv({ allErrors: true }).compile(schema);
}

function faultsOf(validate: ReturnType<typeof strict>, value: unknown) {
  validate(value);
  return validate.errors ?? [];
}

describe("the schema of report --json", () => {
  const validate = strict("report-summary.json");

  async function reported(stdin: string, ...args: string[]): Promise<Summary> {
    const terminal = fakeTerminal({ stdin });
    expect(await main(["report", "--json", ...args], terminal)).toBeLessThanOrEqual(1);
    return JSON.parse(terminal.stdout.text);
  }

  test("describes what comes of logs", async () => {
    const log = Object.values(LOGGERS).map((make) =>
      linesOf(make, (logger) => {
        logger.warn(REFUSAL, "x");
        logger.warn({ ...REFUSAL, client: "2001:db8::1", status: 417, cutOffAfter: 5, withheld: undefined }, "x");
        logger.error({ ...REFUSAL, event: "expectation.error", err: new Error("x") }, "y");
        logger.warn({ event: "expectation.omitted", omitted: 3, perSecond: 1, windowMs: 1_000 }, "z");
      }),
    );
    expect(faultsOf(validate, await reported(`${log.join("")}no JSON\n{}\n`))).toEqual([]);
    expect(faultsOf(validate, await reported(log.join(""), "--since", "1h", "--top", "1"))).toEqual([]);
    expect(faultsOf(validate, await reported("{}\n"))).toEqual([]);
  });

  test("describes the dashboard's summary.json", async () => {
    const board = dashboard({ logger: silent });
    const guard = expectations({ policies: [maxSize(4)], logger: silent });
    const app = (req: http.IncomingMessage, res: http.ServerResponse) => {
      board(req, res, () => guard(req, res, () => req.resume().on("end", () => res.end())));
    };
    const { port } = await listen(attach(http.createServer(app), { logger: silent }));
    try {
      const places = { name: "uploads", limit: 5, inUse: 5, waiting: 95 };
      publish(placeChannel, { change: "taken", waitedMs: 1_500, places });
      for (const body of ["hi", "hello"]) await fetch(`http://127.0.0.1:${port}/files`, { method: "PUT", body });
      const summary = (await (await fetch(`http://127.0.0.1:${port}/summary.json`)).json()) as Summary;
      expect(summary).toMatchObject({ schema: 2, refused: 1, accepted: 1, now: { places: [{ waiting: 95 }] } });
      expect(faultsOf(validate, summary)).toEqual([]);
    } finally {
      board.close();
    }
  });

  test("finds a field of the wrong type, and one that is missing", async () => {
    const summary = await reported("{}\n");
    expect(faultsOf(validate, { ...summary, refused: "1" })).not.toEqual([]);
    const { refused, ...rest } = summary;
    expect(faultsOf(validate, rest)).not.toEqual([]);
    expect(faultsOf(validate, { ...summary, schema: 1 })).not.toEqual([]);
  });
});

describe("the schema of probe --json", () => {
  const validate = strict("probe-result.json");

  async function probed(...args: string[]): Promise<ProbeResult> {
    return JSON.parse((await runProbe(["--json", "--yes", "--timeout", "1", ...args])).stdout);
  }

  test("describes healthy, blind, compared, strange and absent servers", async () => {
    const guard = expectations({ policies: [maxSize("2mb")], logger: silent });
    const routes = { "/upload": store };
    const healthy = await startAttached("node:http", { use: [guard as never], routes }, { logger: silent });
    const blind = await start("node:http", { routes });
    const strange = await listenRaw((socket: { end(text: string): void }) => void socket.end("SSH-2.0-none\r\n"));
    const url = ({ port }: { port: number }) => `http://127.0.0.1:${port}/upload?token=x`;
    const results = await Promise.all([
      probed("-u", "a:b", url(healthy)),
      probed(url(blind)),
      probed("--via", url(healthy), url(blind)),
      probed(url(strange)),
      probed("http://127.0.0.1:9/upload"),
    ]);
    expect(results.map(({ schema }) => schema)).toEqual([2, 2, 2, 2, 2]);
    expect(new Set(results.map(({ verdict }) => verdict.outcome)).size).toBeGreaterThan(1);
    for (const result of results) expect(faultsOf(validate, result)).toEqual([]);
  });
});
