import { once } from "node:events";
import net from "node:net";

/**
 * A TCP proxy that passes everything through as it is and notes what went by when: what a client really sent is
 * measured here, and not taken from what client or server say about themselves.
 */
export async function startRecorder(targetPort) {
  let recording = new Recording();
  const sockets = new Set();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const current = recording;
    current.open();
    const upstream = net.connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    forward(client, upstream, (chunk) => current.note("client", chunk));
    forward(upstream, client, (chunk) => current.note("server", chunk));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.once("close", () => {
        sockets.delete(socket);
        if (client.closed && upstream.closed) current.close();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    /** Begins a new recording; connections that open from now on belong to it. */
    begin() {
      recording = new Recording();
      return recording;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

// `undefined` stands for the end of a direction. A side that breaks off counts as ended, and takes the other with it.
function forward(from, to, note) {
  from.on("data", (chunk) => {
    note(chunk);
    if (to.writable && !to.write(chunk)) {
      from.pause();
      to.once("drain", () => from.resume());
    }
  });
  from.on("end", () => {
    note(undefined);
    to.end();
  });
  from.on("error", () => to.destroy());
  from.on("close", () => {
    if (from.readableEnded) return;
    note(undefined);
    to.destroy();
  });
}

/** What went over one connection, in both directions, with times in milliseconds since its first byte. */
class Recording {
  /** How many connections there were; one alone makes a recording that can be read. */
  connections = 0;
  #resolveClosed;
  /** Resolves when the connection is closed on both sides of the proxy. */
  closed = new Promise((resolve) => {
    this.#resolveClosed = resolve;
  });
  #startedAt;
  #client = new Direction();
  #server = new Direction();

  open() {
    this.connections++;
  }

  close() {
    this.#resolveClosed();
  }

  note(side, chunk) {
    const now = performance.now();
    this.#startedAt ??= now;
    (side === "client" ? this.#client : this.#server).note(now - this.#startedAt, chunk);
  }

  /** The request's head, when it was complete, and the content that followed it. */
  get request() {
    const { text, length } = this.#client;
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const from = end + 4;
    return {
      lines: text.slice(0, end).split("\r\n"),
      at: this.#client.timeOf(from),
      bodyBytes: length - from,
      bodyFrom: this.#client.timeOf(from + 1),
      bodyUntil: this.#client.timeOf(length),
      endedAt: this.#client.endedAt,
    };
  }

  /** The responses in the order of the wire, interim ones first. */
  get responses() {
    const { text } = this.#server;
    const responses = [];
    let from = 0;
    for (;;) {
      const end = text.indexOf("\r\n\r\n", from);
      if (end < 0) return responses;
      const lines = text.slice(from, end).split("\r\n");
      const status = Number(lines[0].split(" ")[1]);
      const length = status < 200 ? 0 : Number(fieldOf(lines, "content-length") ?? 0);
      from = end + 4 + length;
      const body = text.slice(end + 4, from);
      responses.push({ status, lines, at: this.#server.timeOf(end + 4), body, isWhole: body.length === length });
    }
  }

  get statuses() {
    return this.responses.map(({ status }) => status);
  }

  get final() {
    return this.responses.find(({ status }) => status >= 200);
  }

  /** When the server ended its side of the connection; `undefined` where it did not. */
  get serverEndedAt() {
    return this.#server.endedAt;
  }
}

/** The value of a field among the lines of a head; `undefined` where there is none. */
export function fieldOf(lines, name) {
  const line = lines.find((each) => each.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

const KEPT_BYTES = 64 * 1024;

class Direction {
  length = 0;
  endedAt;
  /** The first bytes, as text: heads and short bodies. */
  text = "";
  #marks = [];

  note(at, chunk) {
    if (!chunk) {
      this.endedAt ??= at;
      return;
    }
    this.length += chunk.length;
    this.#marks.push({ at, length: this.length });
    if (this.text.length < KEPT_BYTES) this.text += chunk.toString("latin1");
  }

  /** When the byte with this number (from 1) went by. */
  timeOf(byte) {
    return this.#marks.find(({ length }) => length >= byte)?.at;
  }
}
