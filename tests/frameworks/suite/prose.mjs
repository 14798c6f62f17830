// The sentences of docs/frameworks.md.

/** @param version - of the Node that ran the recipes. */
export function foreword(version) {
  return `# Frameworks, upload libraries and runtimes

Written by \`npm run test:frameworks\`, on Node ${version}. Do not edit it: its text is in \`tests/frameworks\`.

The package works on servers of \`node:http\`, \`node:https\` and \`node:http2\`. A framework that gives you its server needs one line: \`attach(server, { guard })\`. The guard then decides before the framework sees the request. In frameworks whose middleware is \`(req, res, next)\`, a guard can also stand in front of single routes.

Each recipe below is the file that the run has started, in its own process, with the versions in the table. Clients on raw sockets play these checks:

- **accepted behind one 100**: the client sends its content when the 100 has come. There is exactly one 100, and the content arrives byte for byte.
- **accepted without \`Expect\`**: the same, without a 100.
- **refused, 0 bytes sent**: a declared length above the limit gets 413 before any content is sent, and the connection ends.
- **refused without \`Expect\`**: the client pushes its content, and reads the 413 all the same.
- **chunked, cut off**: content of unknown length passes the limit. The client reads 413, and the connection ends.
- **404**, **error** and **early response at once**: no route, a handler that throws, and a handler that responds without reading. The response comes before any content was sent, and without a 100.
- **next request**: a second upload on the same connection works as the first.
- **unknown expectation**: \`Expect: size-class=small\` gets 417, and the connection ends.
- **pipelined**: three requests in one packet get three responses in order. A request that is hidden in refused content does not run.
- **next connection**: after all of this the process lives, has reported no unhandled error, and takes an upload.

A cell shows what came instead where it is not "yes".`;
}

export const INTRODUCTIONS = {
  frameworks: `## Frameworks

The recipes import \`save\` from [a file](#your-own-code-savemjs) that stands for your own code: it reads the content and returns a digest. Ports come from \`PORT\`. Koa and Hono have a shape of their own: for a guard in front of single routes, six lines make a middleware of it.`,
  uploads: `## Upload libraries

Each recipe has at most fifteen lines beside its imports. The guard has \`concurrency({ limit: 1 })\` and \`maxSize\`. An upload is stored, one is refused, one of unknown length is cut off at the limit, and one is abandoned: its client resets the connection when a part of the file is on the disk. Then the run looks for files and open descriptors that are left, and the next upload shows that the place of \`concurrency\` is free.`,
  runtimes: `## Bun and Deno

Both run Express and this package on their own implementation of \`node:http\`. The binaries come from the npm packages \`bun\` and \`deno\`. On HTTP/2 the same checks run on streams of one session.

\`Bun.serve()\` and \`Deno.serve()\` are no servers of \`node:http\`, and send the 100 before any code runs. \`attach\` throws for them, and says to use \`createServer()\` of \`node:http\`, which both runtimes have.`,
  neighbours: `## Proxies written in Node

An attached server with \`holdExpectation\` and \`relayExpectation\`, in front of the first recipe of this page. Without a keep-alive agent these proxies end the connection behind each response.`,
  tests: `## Test tools

What to use to test your own application is in [testing-your-app.md](testing-your-app.md). jest's fake timers are in \`tests/wire/fake-timers.test.ts\`.`,
};

export const AFTERWORD = `## Not supported

- Servers that are not those of \`node:http\`, \`node:https\` or \`node:http2\`: uWebSockets.js, \`Bun.serve()\`, \`Deno.serve()\`, edge and worker runtimes.
- Functions behind a gateway (AWS Lambda and others): the gateway has read the content before your code runs. Guards still give their verdicts, as [testing-your-app.md](testing-your-app.md) shows.
- A body parser in front of a guard: it reads first. Put the guard in front of it, or use \`attach(server, { guard })\`.`;
