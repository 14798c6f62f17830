import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import connect from "connect";
import { attach, expectations, knownLength, maxSize } from "express-expectations";

/**
 * Starts the server.
 *
 * @param port - 0 for a free one.
 */
export async function start(port = 0) {
  const app = connect();

  app.use("/digest", expectations({ policies: [knownLength(), maxSize("1mb")] }));
  app.use("/digest", async (req, res, next) => {
    try {
      const hash = createHash("sha256");
      for await (const chunk of req) hash.update(chunk);
      res.statusCode = 201;
      res.end(`${hash.digest("hex")}\n`);
    } catch (error) {
      next(error);
    }
  });

  const server = attach(createServer(app));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000));
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
