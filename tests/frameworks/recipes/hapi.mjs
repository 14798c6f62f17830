import Hapi from "@hapi/hapi";
import { attach, expectations, maxSize } from "express-expectations";
import { save } from "./save.mjs";

const app = Hapi.server({ port: process.env.PORT, host: "127.0.0.1" });
app.route({
  method: "PUT",
  path: "/files/{name}",
  options: { payload: { output: "stream", parse: false, maxBytes: 2 ** 30 } },
  handler: async ({ params, payload }, h) => h.response(await save(params.name, payload)).code(201),
});

attach(app.listener, { guard: expectations({ policies: [maxSize("1mb")] }), replaceListeners: true });
await app.start();
