import type * as http from "node:http";
import { type AttachOptions, expectations, refuse, silent } from "../../src/index.js";
import { deferred } from "./deferred.js";
import { type Handler, isTlsKind, next, type ServerKind, startAttached, store } from "./servers.js";
import { until } from "./until.js";
import { WireClient } from "./wire.js";

/** A server whose route `/judged` accepts when `verdict` does, and whose route `/slow` responds when `answer` is called. */
export async function serve(kind: ServerKind, options: AttachOptions = {}) {
  const verdict = deferred<boolean>();
  const responses: http.ServerResponse[] = [];
  const judge = expectations({
    logger: silent,
    policies: [async () => ((await verdict.promise) ? true : refuse(413))],
  }) as Handler;
  const slow: Handler = (_req, res) => void responses.push(res);
  const routes = { "/files": store, "/judged": [judge, store], "/next": next, "/slow": slow };
  const running = await startAttached(kind, { routes }, { logger: silent, ...options });
  const connect = () => WireClient.connect(running.port, { tls: isTlsKind(kind) });
  return { ...running, running, verdict, responses, connect };
}

/** Waits until a server has uploads under way, of which no event tells. */
export async function pendingOn(server: object, count = 1): Promise<void> {
  const key = Object.getOwnPropertySymbols(server).find((symbol) => String(symbol).includes("traffic"));
  const traffic = (server as Record<symbol, { uploads: { length: number } }>)[key as symbol];
  await until(`${count} uploads are under way`, () => traffic?.uploads.length === count);
}
