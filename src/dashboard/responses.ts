import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { contentSecurityPolicy, renderPage } from "../report/page/page.js";
import type { Summary } from "../report/summary.js";

const TEXT_TYPE = "text/plain; charset=utf-8";

/** Sends the page; redirects a mount path without a final slash, because the page's URLs are relative. */
export function sendPage(req: HttpRequest, res: ServerResponse, summary: () => Summary): void {
  const address = (req as { originalUrl?: string }).originalUrl ?? req.url ?? "/";
  const path = pathOf(address);
  if (!path.endsWith("/")) {
    // A relative URL also works behind a proxy that serves the page under another path. The "./" keeps "//host" a path.
    const location = `./${path.slice(path.lastIndexOf("/") + 1)}/${address.slice(path.length)}`;
    res.setHeader("Location", location);
    sendText(res, 302, "");
    return;
  }
  // Replaces a policy that a middleware such as helmet may have set, which would block the page's own script.
  res.setHeader("Content-Security-Policy", `${contentSecurityPolicy(true)}; frame-ancestors 'none'`);
  send(res, 200, "text/html; charset=utf-8", renderPage(summary(), { title: "Uploads", live: true }));
}

/** Returns the path of a request target, without its query. */
export function pathOf(url = "/"): string {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}

/** Sends the summary as JSON. */
export function sendSummary(res: ServerResponse, summary: Summary): void {
  send(res, 200, "application/json; charset=utf-8", JSON.stringify(summary));
}

/** Sends plain text. */
export function sendText(res: ServerResponse, status: number, text: string): void {
  send(res, status, TEXT_TYPE, text);
}

function send(res: ServerResponse, status: number, type: string, body: string): void {
  writeHead(res, status, type, { "Cache-Control": "no-store", "Content-Length": Buffer.byteLength(body) });
  res.end(body);
}

/** Writes a header section with the fields that all of the dashboard's responses have. */
export function writeHead(res: ServerResponse, status: number, type: string, fields: OutgoingHttpHeaders): void {
  res.writeHead(status, {
    "Content-Type": type,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    ...fields,
  });
}
