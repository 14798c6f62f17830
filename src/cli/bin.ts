#!/usr/bin/env node
import { main } from "./main.js";

void main(process.argv.slice(2), process).then((code) => {
  // process.exit() would drop output that a pipe has not taken yet.
  process.exitCode = code;
});
