// When Node sends 100 Continue: docs/facts.md, "Node: 100 Continue".
import * as http from "node:http";
import { closeAll, exchange, fact, LINE, listen, statusesOf, UPLOAD } from "./fact.mjs";

const upload = (value) => UPLOAD.replace("100-continue", value);
const withListener = (listener) => http.createServer(() => {}).on("checkContinue", listener);

{
  const server = http.createServer((_req, res) => void res.writeHead(403, { "Content-Length": 0 }).end());
  const statuses = statusesOf(await exchange(await listen(server), UPLOAD));
  fact("without a `checkContinue` listener the 100 precedes the refusal", `${statuses}` === "100,403", statuses);
}
{
  const events = [];
  const server = http.createServer(() => events.push("request"));
  server.on("checkContinue", (_req, res) => {
    events.push("checkContinue");
    res.end();
  });
  await exchange(await listen(server), UPLOAD);
  fact("with a `checkContinue` listener `request` is not emitted", `${events}` === "checkContinue", events);
}
{
  const values = ["y 100-continue", "100-continue-foo", '"100-continue"', "x=100-continue", "100-continue;q=1"];
  const matched = [];
  const server = withListener((req, res) => {
    matched.push(req.headers.expect);
    res.end();
  });
  const port = await listen(server);
  for (const value of [...values, "tea", "100-continued"]) await exchange(port, upload(value), 50);
  fact(
    "`checkContinue` is emitted for values that merely contain it",
    `${matched}` === `${values}`,
    matched.join(" | "),
  );
}
{
  const port = await listen(http.createServer((_req, res) => res.end()));
  const statuses = [];
  for (const value of ["", ","]) statuses.push(...statusesOf(await exchange(port, upload(value))));
  fact("an `Expect` without members gets 417", `${statuses}` === "417,417", statuses);
}
{
  const server = withListener((_req, res) => {
    res.writeContinue();
    res.writeContinue();
    res.end();
  });
  const statuses = statusesOf(await exchange(await listen(server), UPLOAD));
  fact("`writeContinue()` twice sends two 100s", `${statuses}` === "100,100,200", statuses);
}
{
  let thrown;
  const server = withListener((_req, res) => {
    res.writeHead(200, { "Content-Length": 10 });
    res.write("begun");
    try {
      res.writeContinue();
    } catch ({ code }) {
      thrown = code;
    }
    res.end();
  });
  const { text } = await exchange(await listen(server), UPLOAD);
  const isInBody = text.endsWith("begunHTTP/1.1 100 Continue\r\n\r\n");
  const seen = thrown ?? JSON.stringify(text.slice(-40));
  fact(
    "`writeContinue()` after the head writes a 100 into the body on 20 and 22, and throws from 24 on",
    LINE < 24 ? isInBody : thrown === "ERR_HTTP_HEADERS_SENT",
    seen,
  );
}
{
  let marks;
  const server = withListener((_req, res) => {
    res.writeHead(200);
    marks = `headersSent ${res.headersSent}, _headerSent ${res._headerSent}`;
    res.end();
  });
  await exchange(await listen(server), UPLOAD);
  const expected = "headersSent true, _headerSent false";
  fact("`headersSent` is true while no byte of the head has left", marks === expected, marks);
}
{
  let wasAsked = false;
  const has = "writeInformation" in http.ServerResponse.prototype;
  const server = withListener((_req, res) => {
    res.writeContinue = () => {
      wasAsked = true;
    };
    res.writeInformation?.(100);
    res.end();
  });
  const statuses = statusesOf(await exchange(await listen(server), UPLOAD));
  fact(
    "`writeInformation(100)`, on 24.21 and 26.10, bypasses an override of `writeContinue`",
    has ? statuses[0] === 100 && !wasAsked : statuses[0] === 200,
    `${has ? "it is there" : "there is no such method"}, ${statuses}`,
  );
}
closeAll();
