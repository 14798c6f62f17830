import { createServer } from "node:http";
import { attach, expectations, maxSize } from "express-expectations";
import next from "next";

const app = next({ dir: import.meta.dirname });
await app.prepare();

const guard = expectations({ policies: [maxSize("1mb")] });
attach(createServer(app.getRequestHandler()), { guard }).listen(process.env.PORT, "127.0.0.1");
