#!/usr/bin/env node
import { main } from "./main.js";

void main(process.argv.slice(2), process).then((code) => {
  // Not `process.exit()`: what is still on its way to a pipe would be lost.
  process.exitCode = code;
});
