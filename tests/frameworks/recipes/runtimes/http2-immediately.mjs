import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { attach, expectations, maxSize } from "express-expectations";
import { save } from "../save.mjs";

const app = (req, res) => {
  const name = /^\/files\/(\w+)$/.exec(req.url)?.[1];
  if (!name) return res.writeHead(404).end("");
  return save(name, req).then(
    (digest) => res.writeHead(201).end(digest),
    () => res.headersSent || res.writeHead(500).end(""),
  );
};

const pems = { key: readFileSync(process.env.KEY), cert: readFileSync(process.env.CERT) };
const guard = expectations({ policies: [maxSize("1mb")], continueTiming: "immediately" });
attach(createSecureServer(pems, app), { guard }).listen(process.env.PORT, "127.0.0.1");
