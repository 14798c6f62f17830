import { CASES } from "./cases.mjs";

const REFUSED = CASES.filter(({ isStored, hasCredentials }) => !isStored || hasCredentials).map(({ name }) => name);

/**
 * What goes wrong in a client itself. Each stands for the cells that it names and for nothing else: a run fails where
 * one of them goes wrong in another way than it `sees`.
 *
 * Without `mostOf`, the cell goes wrong at all times, and a run of 20 or more that sees nothing of it fails, too. With it,
 * it goes wrong now and then: at most once in so many runs.
 */
export const EXCEPTIONS = [
  {
    modes: ["LWP with the header"],
    cells: ["after 2.5 s"],
    sees: /undefined value as a SCALAR reference at \S+LWP\/Protocol\/http\.pm/,
    reason:
      "LWP waits 2 s for a response and then writes from a buffer that it has not filled (`LWP/Protocol/http.pm`). It fails with `Can't use an undefined value as a SCALAR reference`, whatever the server does. A verdict within 2 s reaches it. So does any verdict if it sends no `Expect`.",
  },
  {
    modes: ["HttpClient 5 async with expect-continue", "HttpClient 5 async"],
    cells: REFUSED,
    sees: /RequestNotExecutedException: Connection is closed|ClosedChannelException/,
    mostOf: 10,
    reason:
      "the client sometimes fails after a response that says `Connection: close`, with its own `RequestNotExecutedException: Connection is closed`. Its automatic retries do not help. It also does so with a plain socket server without this package, in 4 to 30 of 1,500 repeats after a 401, and in 1 of 1,500 refusals at once. The classic client does not.",
  },
];

export const exceptionOf = (mode, cell) =>
  EXCEPTIONS.find(({ modes, cells }) => modes.includes(mode) && cells.includes(cell));
