// Starts each set-up in turn and plays the exchanges through it.
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measure, REFUSED_PUSHED, REFUSED_WAITING } from "./measure.mjs";
import { Origin } from "./origin.mjs";
import { RunningProxy, whyNot } from "./programs.mjs";
import { ROOT } from "./setups.mjs";
import { claimsOf } from "./verdict.mjs";

/**
 * Plays `runs` of each exchange through each set-up.
 *
 * @yields `{ setup, claims }`; `{ setup, skipped }` or `{ setup, error }` with the reason.
 */
export async function* playAll(setups, runs) {
  const folder = await mkdtemp(join(tmpdir(), "expectations-refused-"));
  const files = { waiting: join(folder, "waiting"), pushed: join(folder, "pushed") };
  await writeFile(files.waiting, REFUSED_WAITING);
  await writeFile(files.pushed, REFUSED_PUSHED);
  const pems = await certificate();
  try {
    for (const setup of setups) {
      const skipped = reasonToSkip(setup);
      if (skipped) yield { setup, skipped };
      else yield await played(setup, files, pems, runs);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

function reasonToSkip(setup) {
  if (spawnSync("curl", ["--version"]).error) return "curl is not installed";
  return whyNot(setup);
}

async function played(setup, files, pems, runs) {
  try {
    return { setup, claims: claimsOf(await play(setup, files, pems, runs)) };
  } catch (error) {
    return { setup, error: error.stack };
  }
}

async function play(setup, files, pems, runs) {
  const { via, origin, stop } = await startSetup(setup, pems);
  try {
    return await measure(via, origin, files, runs, setup.oftener);
  } finally {
    await stop();
  }
}

/** Starts an origin and the proxies of a set-up in front of it. Rejects if one of them does not start. */
export async function startSetup({ hops, isTls, isForward }, pems) {
  const origin = await Origin.start();
  const proxies = [];
  const stop = async () => {
    for (const proxy of proxies.reverse()) await proxy.stop();
    origin.stop();
  };
  try {
    let port = origin.port;
    for (const hop of [...hops].reverse()) {
      const whole = { ...hop, files: hop.files.map((file) => join(ROOT, file)) };
      const admission = origin.admissions[hop.asks ?? "nginx"].address().port;
      const proxy = await RunningProxy.start(whole, { origin: port, admission }, pems);
      proxies.push(proxy);
      port = proxy.port;
    }
    return { via: { port, isTls, forwardTo: isForward ? origin.port : undefined }, origin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

// The certificate of the other tests: it is text within a TypeScript file.
export async function certificate() {
  const text = await readFile(join(ROOT, "tests/helpers/certificate.ts"), "utf8");
  const [key, cert] = text.match(/-----BEGIN [^`]*-----END [A-Z ]*-----/g).map((pem) => `${pem}\n`);
  return { "key.pem": key, "cert.pem": cert, "both.pem": cert + key };
}
