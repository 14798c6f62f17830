// Loaded in front of a server with --import: "profile" begins a CPU profile, "profiled" ends it and sends it by IPC.
import { Session } from "node:inspector/promises";

const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.setSamplingInterval", { interval: 100 });
process.on("message", async (message) => {
  if (message === "profile") process.send({ started: await session.post("Profiler.start") });
  if (message === "profiled") process.send(await session.post("Profiler.stop"));
});
