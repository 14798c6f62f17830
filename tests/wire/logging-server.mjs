// A server whose guard and whose attachment write to standard error, run by tests/wire/logging.test.ts in a process of
// its own. Prints its port on standard output.
//
//   node logging-server.mjs default|console
import express from "express";
import { attach, expectations, maxSize } from "./src/index.js";

const options = process.argv[2] === "console" ? { logger: console } : {};
const app = express();
const broken = () => {
  throw new TypeError("the store\nis gone\u009b");
};
app.put("/files/:id", expectations({ policies: [maxSize(10)], ...options }));
app.put("/broken", expectations({ policies: [broken], ...options }));
const server = attach(
  app.listen(0, "127.0.0.1", () => console.log(server.address().port)),
  options,
);
