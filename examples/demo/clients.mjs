import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import net from "node:net";

const DEADLINE_MS = 15_000;

/** The first line of `curl --version`; `undefined` where curl is not installed. */
export function curlVersion() {
  const { error, stdout } = spawnSync("curl", ["--version"], { encoding: "utf8" });
  return error ? undefined : stdout.split("\n", 1)[0].split(" ").slice(0, 2).join(" ");
}

/**
 * Runs curl.
 *
 * @param folder - where it runs; holds the `.curlrc` that replaces the user's own.
 * @returns its exit code, what it wrote to standard error, and how many bytes it says it uploaded.
 */
export async function runCurl(args, folder) {
  const child = spawn("curl", args, { cwd: folder, env: { ...process.env, CURL_HOME: folder }, timeout: DEADLINE_MS });
  const stdout = [];
  const stderr = [];
  child.stdout.on("data", (chunk) => stdout.push(chunk));
  child.stderr.on("data", (chunk) => stderr.push(chunk));
  const [code, signal] = await once(child, "close");
  return {
    code: code ?? signal,
    said: Buffer.concat(stderr).toString(),
    uploaded: Number(Buffer.concat(stdout).toString().split("uploaded=").at(-1)),
  };
}

/**
 * Sends a head on a raw socket, and `body` if the server answers 100; then waits until the server has ended the
 * connection, or ends it where the request was accepted.
 */
export async function runSocket(port, head, body) {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  socket.setTimeout(DEADLINE_MS, () => socket.destroy());
  socket.on("error", () => {});
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  let received = "";
  let isBodySent = false;
  socket.setEncoding("latin1").on("data", (text) => {
    received += text;
    if (!isBodySent && received.startsWith("HTTP/1.1 100 ")) {
      isBodySent = true;
      socket.write(body);
    }
    if (received.includes("HTTP/1.1 2")) socket.end();
  });
  await once(socket, "close");
}
