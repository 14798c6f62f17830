import { createHash } from "node:crypto";

/** Stands for your own code: reads an upload, and returns its SHA-256. */
export async function save(name, content) {
  if (name === "broken") throw new Error("no space left");
  if (name === "early") return "there already";
  const hash = createHash("sha256");
  for await (const chunk of content) hash.update(chunk);
  return hash.digest("hex");
}
