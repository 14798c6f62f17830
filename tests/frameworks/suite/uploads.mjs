// What each upload stack leaves behind when an upload is refused, cut off or abandoned.
import { randomBytes } from "node:crypto";
import { patiently } from "../../helpers/patience.mjs";
import { chunk, Exchange, LAST_CHUNK } from "./exchange.mjs";

const SETTLE_MS = 3_000;
const BOUNDARY = "----express-expectations";
const MIB = 2 ** 20;

/** A file as the only part of a form. `before`: other parts. */
export function form(content, before = "") {
  return Buffer.concat([
    Buffer.from(
      `${before}--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="photo.png"\r\nContent-Type: image/png\r\n\r\n`,
    ),
    content,
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ]);
}

export const part = (name, value) =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

const FORM = {
  method: "POST",
  path: "/files",
  type: `multipart/form-data; boundary=${BOUNDARY}`,
  encode: (content) => form(content),
  accepted: 201,
};

const OPERATIONS = JSON.stringify({
  query: "mutation ($file: Upload!) { store(file: $file) }",
  variables: { file: null },
});

/** `leaves`: why files stay behind, if they do. */
export const UPLOADS = [
  { name: "multer 2", recipe: "multer.mjs", packages: ["multer"], isShort: true },
  { name: "busboy", recipe: "busboy.mjs", packages: ["busboy"], isShort: true },
  { name: "formidable 3", recipe: "formidable.mjs", packages: ["formidable"], isShort: true },
  { name: "multiparty 4", recipe: "multiparty.mjs", packages: ["multiparty"] },
  {
    name: "express-fileupload 1",
    recipe: "express-fileupload.mjs",
    packages: ["express-fileupload"],
    note: "It does not listen for the end of a broken upload. The file and its descriptor stay until `uploadTimeout` is over (60 seconds by default, 1 second here). Then it deletes the file and calls the next handler, with no `req.files`.",
  },
  {
    name: "graphql-upload 17",
    recipe: "graphql-upload.mjs",
    packages: ["graphql-upload"],
    upload: {
      encode: (content) => form(content, part("operations", OPERATIONS) + part("map", '{"file":["variables.file"]}')),
      fields: ["Apollo-Require-Preflight: 1"],
      accepted: 200,
    },
  },
  { name: "@fastify/multipart 10", recipe: "fastify-multipart.mjs", packages: ["@fastify/multipart"] },
  {
    name: "@tus/server 2",
    recipe: "tus.mjs",
    packages: ["@tus/server"],
    leaves:
      "What has arrived stays, so that the client can resume. Remove what nobody resumes, with `cleanUpExpiredUploads()`.",
    isCreated: true,
    upload: {
      method: "PATCH",
      type: "application/offset+octet-stream",
      fields: ["Tus-Resumable: 1.0.0", "Upload-Offset: 0"],
      begin: createTusUpload,
      encode: (content) => content,
      accepted: 204,
    },
  },
  {
    name: "client-s3 3, by lib-storage",
    recipe: "s3.mjs",
    packages: ["@aws-sdk/client-s3", "@aws-sdk/lib-storage"],
    isS3: true,
    upload: { method: "PUT", path: "/files/a", type: "image/png", encode: (content) => content, isLarge: true },
  },
].map((stack) => ({ ...stack, upload: { ...FORM, ...stack.upload } }));

/** Creates a file by the tus protocol, and returns its path. */
async function createTusUpload({ port }, length) {
  const headers = { "Tus-Resumable": "1.0.0", "Upload-Length": String(length) };
  const response = await fetch(`http://127.0.0.1:${port}/files`, { method: "POST", headers });
  return new URL(response.headers.get("location")).pathname;
}

/** Everything that a stack is taken through, on one running program. */
export async function measureUploads(peer) {
  const found = { stored: await stored(peer) };
  found.refused = await refused(peer);
  found.cutOff = await cutOff(peer);
  found.abandoned = await abandoned(peer);
  found.next = await stored(peer);
  return found;
}

/** What must not be: `leaves` of a set-up allows files that stay behind. */
export function uploadFaults({ leaves }, { stored: first, refused: early, cutOff: late, abandoned: left, next }) {
  const faults = [];
  const expect = (what, found, expected) => found !== expected && faults.push(`${what}: ${found}`);
  expect("stored", first, "yes");
  expect("refused", early.statuses, "413");
  expect("files behind a refusal", early.left, 0);
  expect("cut off", late.statuses, "100, 413");
  if (!leaves) expect("files behind a cut-off", late.left, 0);
  if (!leaves) expect("files behind an abandoned upload", left.left, 0);
  expect("next upload", next, "yes");
  return faults;
}

/** A connection on which the head of an upload of `length` bytes is out; `declares` says how. */
async function withUpload(peer, length, declares, use) {
  const { method, type, fields = [], begin } = peer.upload;
  const path = (await begin?.(peer, length)) ?? peer.upload.path;
  const exchange = await Exchange.open(peer);
  try {
    const lines = ["Host: uploads.test", `Content-Type: ${type}`, ...fields, "Expect: 100-continue", declares];
    exchange.send(`${[`${method} ${path} HTTP/1.1`, ...lines].join("\r\n")}\r\n\r\n`);
    await exchange.until(() => exchange.statuses.length > 0);
    return await use(exchange);
  } finally {
    exchange.close();
  }
}

/** Whether an upload behind a 100 is stored byte for byte. The place of the one before must be free. */
function stored(peer) {
  const content = randomBytes(100_000);
  const body = peer.upload.encode(content);
  return withUpload(peer, content.length, `Content-Length: ${body.length}`, async (exchange) => {
    exchange.send(body);
    await exchange.final();
    const isThere = peer.store.contents().some((each) => each.equals(content));
    peer.store.clear();
    const statuses = exchange.statuses.join(", ");
    if (statuses !== `100, ${peer.upload.accepted}`) return statuses || "no response";
    return isThere ? "yes" : "other content";
  });
}

function refused(peer) {
  const length = 64 * MIB;
  return withUpload(peer, length, `Content-Length: ${length}`, (exchange) => outcome(peer, exchange, false));
}

/** A chunked upload that passes the limit. */
function cutOff(peer) {
  const body = peer.upload.encode(randomBytes(16 * MIB));
  return withUpload(peer, body.length, "Transfer-Encoding: chunked", async (exchange) => {
    await exchange.push(body, chunk);
    if (exchange.finals.length === 0) exchange.send(LAST_CHUNK);
    await exchange.final();
    return outcome(peer, exchange);
  });
}

/** An upload whose client leaves, by a reset, when the program has begun to store it. */
function abandoned(peer) {
  const body = peer.upload.encode(randomBytes(16 * MIB));
  return withUpload(peer, body.length, "Transfer-Encoding: chunked", async (exchange) => {
    exchange.send(chunk(body.subarray(0, peer.upload.isLarge ? 6 * MIB : MIB / 4)));
    await patiently(() => peer.store.hasBegun(), SETTLE_MS);
    exchange.reset();
    return outcome(peer, exchange);
  });
}

/** What is left when all is over: `{ statuses, left, error }`. `hasHandler`: whether a handler has begun. */
async function outcome(peer, exchange, hasHandler = true) {
  const isOver = () => peer.store.left().length === 0 && (!hasHandler || peer.handlerErrors().length > 0);
  await patiently(isOver, SETTLE_MS);
  const found = {
    statuses: exchange.statuses.join(", "),
    left: peer.store.left().length,
    error: peer.handlerErrors().join(", "),
  };
  peer.store.clear();
  peer.forgetErrors();
  return found;
}
