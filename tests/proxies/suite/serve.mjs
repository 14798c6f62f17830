// One set-up for a test: serve.mjs NAME ORIGIN_PORT ADMISSION_PORT
//
// Prints the proxy's port, and ends the proxy when its own standard input ends.
//
//   --list   prints the set-ups whose files are in examples/, as JSON: name, file, and why one cannot be started
import { once } from "node:events";
import { join } from "node:path";
import { RunningProxy, whyNot } from "./programs.mjs";
import { isBest, ROOT, SETUPS } from "./setups.mjs";

const [name, origin, admission] = process.argv.slice(2);
const startable = SETUPS.filter((setup) => isBest(setup) && setup.hops[0].files[0].startsWith("examples/"));

if (name === "--list") {
  const list = startable.map((setup) => ({ name: setup.name, file: setup.hops[0].files[0], skipped: whyNot(setup) }));
  console.log(JSON.stringify(list));
} else {
  const [hop] = startable.find((setup) => setup.name === name).hops;
  const files = hop.files.map((file) => join(ROOT, file));
  const proxy = await RunningProxy.start({ ...hop, files }, { origin: Number(origin), admission: Number(admission) });
  console.log(`port ${proxy.port}`);
  await once(process.stdin.resume(), "end");
  await proxy.stop();
}
