import { STATUS_CODES } from "node:http";
import type { UploadResult } from "../../client/options.js";
import { bytesText } from "../../pages/bytes.js";
import { visible } from "../../report/visible.js";
import { durationText } from "../report/units.js";
import type { Paint } from "../terminal.js";

const MAX_LINES = 10;
const MAX_WIDTH = 200;

/** Writes the status in one line. */
export function statusLine({ status }: UploadResult, paint: Paint): string {
  const style = status < 300 ? "green" : "red";
  return `${paint(style, String(status))} ${STATUS_CODES[status] ?? ""}`.trimEnd();
}

/** Writes what came of an upload: the status, the handshake, and what the server says. */
export function uploadText(result: UploadResult, expectTimeoutMs: number, durationMs: number, paint: Paint): string {
  const lines = [
    statusLine(result, paint),
    `  ${handshakeText(result, expectTimeoutMs)}; ${durationText(Math.round(durationMs))} in all`,
    ...(result.attempts > 1
      ? [`  ${result.attempts} requests, the last one to ${visible(withoutQuery(result.url))}`]
      : []),
    ...(result.isComplete ? [] : ["  the connection broke before the end of the response"]),
    ...bodyLines(result).map((line) => paint("dim", `  ${line}`)),
  ];
  return `${lines.join("\n")}\n`;
}

function handshakeText(result: UploadResult, expectTimeoutMs: number): string {
  const { sentBytes, wasContinued, waitedMs, status } = result;
  const sent = `${bytesText(sentBytes)} sent`;
  const waited = durationText(Math.round(waitedMs));
  if (wasContinued) return `100 Continue after ${waited}, ${sent}`;
  if (sentBytes === 0)
    return `${status < 300 ? "decided" : "refused"} before a byte of content was sent, after ${waited}`;
  if (waitedMs === 0) return `417 for the request with Expect, then ${sent} without it`;
  return `no 100 Continue within ${durationText(expectTimeoutMs)}, ${sent} without it`;
}

function bodyLines({ body, headers }: UploadResult): string[] {
  const isText = /^(?:text\/|application\/(?:json|problem\+json|xml))/.test(headers["content-type"] ?? "");
  if (!isText) return [];
  const lines = body.toString("utf8").trimEnd().split(/\r?\n/);
  const shown = lines.slice(0, MAX_LINES).map((line) => visible(line.slice(0, MAX_WIDTH)));
  return lines.length > MAX_LINES ? [...shown, "…"] : shown;
}

function withoutQuery({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

/** Writes a result as JSON. The response's body is text. */
export function uploadJson(result: UploadResult, durationMs: number): string {
  const { body, url, ...rest } = result;
  const json = { ...rest, url: withoutQuery(url), durationMs: Math.round(durationMs), body: body.toString("utf8") };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}
