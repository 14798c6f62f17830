import { render } from "preact";
import type { Summary } from "../../../report/summary.js";
import { Answers, Same } from "./answers.js";
import { Chart } from "./chart.js";
import { byId, ownSettings, ownSummary } from "./data.js";
import { Figures, showsAccepted } from "./figures.js";
import { listen, showConnection } from "./live.js";
import { ClientNotes } from "./notes.js";
import { Nothing, Read, Span } from "./notices.js";
import type { Series } from "./plot.js";
import { Present } from "./present.js";

const SERIES: readonly Series[] = ["refused", "errors"];

const settings = ownSettings();
const main = byId("main");
// The text for readers without JavaScript.
main.replaceChildren();

/** The page of one summary. Values go into the document as text nodes, never as markup. */
function Page({ summary }: { readonly summary: Summary }) {
  const { live } = settings;
  const series: readonly Series[] = showsAccepted(summary, live) ? [...SERIES, "accepted"] : SERIES;
  const hasRefusals = summary.refused + summary.errors > 0;
  return (
    <>
      <Figures {...{ summary, live }} />
      <Present now={summary.now} />
      {!hasRefusals && <Nothing live={live} />}
      {summary.overTime.buckets.length > 0 && <Chart {...{ summary, series }} />}
      {hasRefusals && <Same {...{ summary, settings }} />}
      {hasRefusals && <Answers {...{ summary, settings }} />}
      <ClientNotes suspects={summary.suspects} settings={settings} />
    </>
  );
}

function draw(summary: Summary): void {
  render(<Span {...summary} />, byId("span"));
  render(<Page summary={summary} />, main);
  render(<Read {...summary} />, byId("read"));
}

draw(ownSummary());
if (settings.live) {
  showConnection("waiting", "Connecting");
  listen(draw);
}
