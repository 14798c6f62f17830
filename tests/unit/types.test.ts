import { expect, test } from "@jest/globals";
import express, { type Request } from "express";
import { allOf, authorize, expectations, maxSize, mediaTypes, refuse, silent } from "../../src/index.js";

// What else of types there is stands in tests/types; nobody listens, so nothing is sent.
function application(): express.Express {
  const app = express();
  const handler: express.RequestHandler = (_req, res) => void res.end();

  app.use(expectations());
  app.use(expectations({ policies: [maxSize("1gb"), mediaTypes(["image/*"])], logger: silent }));
  app.use(expectations({ policies: [(req) => req.get("authorization") !== undefined] }));

  // A type argument brings the route's parameters.
  app.put(
    "/images/:id",
    expectations<Request<{ id: string }>>({
      policies: [
        (req) => {
          const id: string = req.params.id;
          return id !== "" && req.get("authorization") ? true : refuse(401);
        },
        authorize((req) => req.params.id === req.get("x-user"), { challenge: "Bearer" }),
        allOf<Request<{ id: string }>>((req) => req.params.id !== "", maxSize("10mb")),
        mediaTypes(["image/*"]),
        maxSize("10mb"),
      ],
      extensions: { "size-class": (req) => req.params.id !== "" },
      refusalBody: (refusal, req) => ({ type: "text/plain", body: `${req.params.id} ${refusal.status}` }),
      onRefusal: (refusal, req, _res, next) => next(new Error(`${req.params.id} ${refusal.status}`)),
    }),
    handler,
  );

  // A guard leaves the parameters of the handlers behind it alone.
  app.put("/files/:name", expectations({ policies: [maxSize(1)] }), (req, res) => {
    const name: string = req.params.name;
    res.end(name);
  });
  return app;
}

test("Express takes guards with and without a type argument", () => {
  expect(application).not.toThrow();
});
