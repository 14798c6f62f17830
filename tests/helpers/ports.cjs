// Ports for programs that take one as an option.
const { once } = require("node:events");
const { randomInt } = require("node:crypto");
const net = require("node:net");

/** Below the ports that systems give to those who ask for any: between this answer and the use nobody gets it. */
const [FIRST, LAST] = [10_240, 32_000];

/** A loopback port that nobody listens on. */
async function freePort() {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    const server = net.createServer().listen(port, "127.0.0.1");
    // An `error` rejects.
    if (!(await once(server, "listening").catch(() => false))) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

module.exports = { freePort };
