import { once } from "node:events";
import { request } from "node:http";

/** Uploads as a client does that waits for its 100. Returns the status, and whether the content was sent. */
export async function upload(port, content, fields = {}) {
  const headers = { Expect: "100-continue", "Content-Length": content.length, "Content-Type": "image/png", ...fields };
  const options = { host: "127.0.0.1", port, method: "PUT", path: "/images/1", headers, agent: false };
  const req = request(options);
  let isSent = false;
  req.once("continue", () => {
    isSent = true;
    req.end(content);
  });
  req.flushHeaders();
  const [res] = await once(req, "response");
  let body = "";
  for await (const chunk of res.setEncoding("utf8")) body += chunk;
  req.destroy();
  return { status: res.statusCode, body, isSent };
}
