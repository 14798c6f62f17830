import { EXCHANGES, type ExchangeSpec } from "./exchanges.js";
import { ProbeFault } from "./fault.js";
import { planOf } from "./plan.js";
import type { ProbeRequest } from "./request.js";
import { isHarmlessField } from "./shown.js";
import { isFinal } from "./summary.js";
import { waitForVerdict } from "./waits.js";
import { connect } from "./wire/connect.js";
import { Connection } from "./wire/connection.js";
import { fieldOf } from "./wire/header-section.js";

const MAX_REDIRECTS = 10;

/** What is read here is not shown to anybody. */
const UNCHANGED = { lines: (section: string) => section.split(/\r?\n/), sample: (content: string) => content };

/**
 * Follows the redirects of an upload whose content is withheld.
 *
 * @returns the request at the place that does not redirect. At another origin it has no credentials.
 * @throws {ProbeFault} if there are too many, or a place cannot be reached.
 */
export async function followRedirects(request: ProbeRequest): Promise<ProbeRequest> {
  let here = request;
  for (let left = MAX_REDIRECTS; left > 0; left--) {
    const next = await redirectOf(here);
    if (next === undefined) return here;
    here = next.origin === here.url.origin ? { ...here, url: next } : withoutCredentials({ ...here, url: next });
  }
  throw new ProbeFault("unreachable", `more than ${MAX_REDIRECTS} redirects`);
}

function withoutCredentials(request: ProbeRequest): ProbeRequest {
  const { tls, ...rest } = request;
  const headers = request.headers.filter(([name]) => isHarmlessField(name) && name.toLowerCase() !== "host");
  return { ...rest, headers, ...(tls?.ca && { tls: { ca: tls.ca } }) };
}

async function redirectOf(request: ProbeRequest): Promise<URL | undefined> {
  const { url } = request;
  const spec = EXCHANGES.find(({ id }) => id === "withheld") as ExchangeSpec;
  const plan = planOf(spec, { request, url, sendsContent: false }, []);
  const connection = new Connection(await connect(request, url, ["http/1.1"]), UNCHANGED);
  try {
    connection.sendHead("head", plan.head);
    await waitForVerdict(connection.journal, plan.verdictMs);
    const final = connection.journal.events.find(isFinal);
    const location = final && final.status >= 300 && final.status < 400 ? fieldOf(final.lines, "location") : undefined;
    if (location === undefined || !URL.canParse(location, url.href)) return undefined;
    const next = new URL(location, url);
    return /^https?:$/.test(next.protocol) ? next : undefined;
  } finally {
    connection.close();
  }
}
