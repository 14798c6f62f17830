import { start } from "../nginx-auth-request/server.mjs";

// The same origin and the same policies. Caddy copies the whole refusal, so that it needs no other status.
const [port = 3000, admissionPort = 3001] = process.argv.slice(2).map(Number);
const { origin, asked } = await start({ port, admissionPort, statuses: "verbatim" });
console.log(`asked by the proxy on 127.0.0.1:${asked.address().port}`);
console.log(`listening on http://127.0.0.1:${origin.address().port}`);
