import { subscribe, unsubscribe } from "node:diagnostics_channel";
import * as http from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  type AcceptMessage,
  type AdmissionOptions,
  type AdmissionRequest,
  admission,
  silent,
  type Upload,
  type UploadEnd,
} from "../../src/index.js";
import { closeServers, listen } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";

const CHANNEL = "express-expectations:accept";

let accepted: AcceptMessage[] = [];
const hear = (message: unknown) => void accepted.push(message as AcceptMessage);

beforeEach(() => {
  accepted = [];
  subscribe(CHANNEL, hear);
});

afterEach(async () => {
  unsubscribe(CHANNEL, hear);
  await closeServers();
});

async function serve(options: Partial<AdmissionOptions>) {
  const server = http.createServer(admission({ trustProxy: "loopback", logger: silent, ...options }));
  const { port } = await listen(server);
  const wire = await WireClient.connect(port);
  let asked = 0;
  return async (url: string, ...fields: string[]) => {
    const lines = ["GET /ask HTTP/1.1", "Host: test", "X-Original-Method: PUT", `X-Original-URI: ${url}`, ...fields];
    wire.send(`${lines.join("\r\n")}\r\n\r\n`);
    const { status, headers } = await wire.final(++asked);
    return headers["x-admission-status"] ?? String(status);
  };
}

const acceptedUrls = () => accepted.map(({ req }) => req.url);

/** A policy that accepts all uploads at once but those of `/late`, which wait until they are let go. */
function lateOne() {
  let letGo = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const policy = async (req: AdmissionRequest) => {
    if (req.url === "/late") await gate;
    return true;
  };
  return { policy, letGo: () => letGo() };
}

test("an acceptance is told, with what the proxy said about the upload", async () => {
  const ask = await serve({});
  expect(await ask("/a", "X-Upload-Length: 5")).toBe("204");
  expect(accepted).toMatchObject([{ req: { url: "/a" }, record: { method: "PUT", declaredLength: 5 } }]);
});

test("what an asynchronous policy reserved stays when the upload is accepted", async () => {
  const closed: unknown[] = [];
  const reserve = async (req: AdmissionRequest, upload: Upload) => {
    upload.onClose(() => closed.push(req.url));
    return req.url !== "/refused";
  };
  const ask = await serve({ policies: [reserve] });
  expect(await ask("/accepted")).toBe("204");
  expect(await ask("/refused")).toBe("403");
  expect(closed).toEqual(["/refused"]);
});

describe("a policy whose time is up", () => {
  test("gets back at once what it reserves then", async () => {
    const closed: UploadEnd[] = [];
    const { policy, letGo } = lateOne();
    const reserve = async (req: AdmissionRequest, upload: Upload) => {
      await policy(req);
      upload.onClose((end) => closed.push(end));
      return true;
    };
    const ask = await serve({ policyTimeoutMs: 50, policies: [reserve] });
    expect(await ask("/late")).toBe("503");
    expect(closed).toEqual([]);
    letGo();
    await until("it is told", () => closed.length > 0);
    expect(closed).toEqual([{ status: undefined, isRefused: true, isWhole: false }]);
  });

  test("accepts nothing any more", async () => {
    const { policy, letGo } = lateOne();
    const ask = await serve({ policyTimeoutMs: 50, policies: [policy] });
    expect(await ask("/late")).toBe("503");
    letGo();
    expect(await ask("/next")).toBe("204");
    expect(acceptedUrls()).toEqual(["/next"]);
  });

  test("is the last one that is asked", async () => {
    const asked: unknown[] = [];
    const { policy, letGo } = lateOne();
    const second = (req: AdmissionRequest) => asked.push(req.url) > 0;
    const ask = await serve({ policyTimeoutMs: 50, policies: [policy, second] });
    expect(await ask("/late")).toBe("503");
    letGo();
    expect(await ask("/next")).toBe("204");
    expect(asked).toEqual(["/next"]);
  });
});

test("a client's own X-Forwarded-For is not believed behind the last proxy that is trusted", async () => {
  const ips: unknown[] = [];
  const keep = (req: AdmissionRequest) => ips.push(req.ip) > 0;
  const ask = await serve({ trustProxy: (_address, hop) => hop === 0, policies: [keep] });
  expect(await ask("/a", "X-Forwarded-For: 192.0.2.6, 192.0.2.9")).toBe("204");
  expect(ips).toEqual(["192.0.2.9"]);
});
