import * as http2 from "node:http2";
import type { Socket } from "node:net";
import { NOT_IN_HTTP2 } from "../http/not-in-http2.js";
import { linesOf, recordStream } from "../probe/wire/http2-stream.js";
import { Journal } from "../probe/wire/journal.js";
import { KEPT_BYTES, type Line, RAW, type Sent } from "./line.js";
import { fieldsOf, type Plan } from "./plan.js";

/** A connection that speaks HTTP/2. */
export class Http2Line implements Line {
  readonly #session: http2.ClientHttp2Session;

  constructor(
    socket: Socket,
    readonly url: URL,
  ) {
    this.#session = http2.connect(url.origin, { createConnection: () => socket });
    this.#session.on("error", () => {});
  }

  get isOpen(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  begin(plan: Plan): Sent {
    const journal = new Journal();
    let stream: http2.ClientHttp2Stream | undefined;
    const fields = this.#fieldsOf(plan);
    return {
      journal,
      isStream: true,
      sendHead: () => {
        stream = this.#session.request(fields, { endStream: plan.content.announced === "none" });
        journal.add({ kind: "sent", what: "head", lines: linesOf(fields, RAW), bytes: 0 });
        recordStream(this.#session, stream, journal, RAW, KEPT_BYTES);
      },
      sendContent: (bytes, taken) =>
        stream?.write(bytes, (error) => {
          if (!error) taken();
        }),
      endContent: () => void stream?.end(),
      leave: (how) => {
        if (how === "end") stream?.close(http2.constants.NGHTTP2_CANCEL);
        else this.#session.destroy();
      },
    };
  }

  close(): void {
    this.#session.destroy();
  }

  #fieldsOf(plan: Plan): http2.OutgoingHttpHeaders {
    const fields: http2.OutgoingHttpHeaders = {
      ":method": plan.method,
      ":scheme": this.url.protocol.slice(0, -1),
      ":authority": this.url.host,
      ":path": plan.path,
    };
    for (const [name, value] of fieldsOf(plan)) {
      const key = name.toLowerCase();
      if (key === "host") fields[":authority"] = value;
      if (NOT_IN_HTTP2.has(key)) continue;
      fields[key] = fields[key] === undefined ? value : [fields[key], value].flat().map(String);
    }
    return fields;
  }
}
