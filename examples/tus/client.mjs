import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

const TUS = { "Tus-Resumable": "1.0.0" };

/**
 * Uploads a file, and goes on where the server has stopped.
 *
 * @returns the URL of the upload, and the status of each request.
 */
export async function upload(file, endpoint) {
  const { size } = await stat(file);
  const created = await fetch(endpoint, { method: "POST", headers: { ...TUS, "Upload-Length": String(size) } });
  const statuses = [created.status];
  if (!created.ok) return { statuses, reason: (await created.json()).detail };
  const url = created.headers.get("Location");
  for (let offset = 0; offset < size; ) {
    statuses.push(await patch(file, url, offset));
    const head = await fetch(url, { method: "HEAD", headers: TUS });
    const reached = Number(head.headers.get("Upload-Offset"));
    if (reached <= offset) throw new Error(`no byte was stored: ${statuses.at(-1)}`);
    offset = reached;
  }
  return { statuses, url };
}

// All that is left, in a body of unknown length: where it is cut off, the server decides.
async function patch(file, url, offset) {
  const headers = { ...TUS, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
  const body = createReadStream(file, { start: offset });
  try {
    const { status } = await fetch(url, { method: "PATCH", headers, body, duplex: "half" });
    return status;
  } catch (error) {
    // The server has closed while content was on its way.
    return error.cause?.code ?? error.message;
  } finally {
    body.destroy();
  }
}

if (process.argv[1] === import.meta.filename) {
  const [file, endpoint = "http://127.0.0.1:3000/files"] = process.argv.slice(2);
  const { statuses, url, reason } = await upload(file, endpoint);
  console.log(`${statuses.join(" ")} ${url ?? reason}`);
}
