// The application that is traced, on the packages that the programs beside this one have loaded.
//
//   MODE      route: a guard in front of the route; guard: attach({ guard }). The same without express-expectations:
//             without, bare
//   LATE      the tracer, if it is loaded behind attach()
//   RECORD    whether the decisions are recorded with express-expectations/opentelemetry
const { MODE, LATE, RECORD, PORT } = process.env;
const SIZE = 1024;

exports.start = async function start(express, ours, load) {
  if (RECORD) (await load("express-expectations/opentelemetry")).recordExpectations();
  const app = express();
  const runs = {};
  if (MODE === "route" || MODE === "without") app.put("/files/:name", guardOf(ours));
  app.put("/files/:name", (req, res) => {
    const { name } = req.params;
    runs[name] = (runs[name] ?? 0) + 1;
    req.on("data", () => {});
    req.on("end", () => res.set("X-Runs", String(runs[name])).sendStatus(201));
  });
  app.get("/next", (_req, res) => res.send("next"));
  await listen(app, ours, load);
};

// What an application without this package does in the guard's place. Tracers show the names of middlewares.
function guardOf(ours) {
  if (MODE !== "without") return expectationsOf(ours);
  return function expectationGuard(req, res, next) {
    if (Number(req.headers["content-length"]) <= SIZE) next();
    else res.set("Connection", "close").status(413).send("Content Too Large");
  };
}

const expectationsOf = ({ expectations, maxSize, silent }) =>
  expectations({ policies: [maxSize(SIZE)], logger: silent });

async function listen(app, ours, load) {
  const server = app.listen(Number(PORT), "127.0.0.1");
  const { attach, silent } = ours;
  if (MODE === "route") attach(server, { logger: silent });
  if (MODE === "guard") attach(server, { logger: silent, guard: expectationsOf(ours) });
  if (!LATE) return;
  await load(LATE);
  // Tracers patch a module when it is loaded next.
  require("node:http");
}
