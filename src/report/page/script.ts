import { ANSWERS } from "./script/answers.js";
import { BARS } from "./script/bars.js";
import { CHART } from "./script/chart.js";
import { ELEMENTS } from "./script/elements.js";
import { FIGURES } from "./script/figures.js";
import { LIVE } from "./script/live.js";
import { NOTICES } from "./script/notices.js";
import { PRESENT } from "./script/present.js";
import { SUSPECTS_SECTION } from "./script/suspects.js";
import { TEXTS } from "./script/texts.js";

const PARTS = [ELEMENTS, TEXTS, FIGURES, PRESENT, BARS, CHART, SUSPECTS_SECTION, ANSWERS, NOTICES, LIVE];

/**
 * The script of the page, for browsers.
 *
 * It draws the summary that the document carries. If `settings.live` is true, it also draws every summary that arrives
 * as a server-sent event. All values go into the document as text nodes.
 *
 * The parts are functions in one scope and are joined as they are. They contain no backticks, backslashes or
 * placeholders, so the source below is the text in the document.
 */
export const PAGE_SCRIPT: string = `"use strict";
(() => {
  const settings = JSON.parse(byId("settings").textContent);
  const main = byId("main");
${PARTS.join("")}
  const parts = [makeFigures(), makePresent(), makeNothing(), makeChart(), makeSuspects(), makeAnswers()];
  main.replaceChildren(...parts.map((part) => part.element));

  function draw(summary) {
    drawSpan(summary);
    for (const part of parts) part.draw(summary);
    drawRead(summary);
  }

  draw(JSON.parse(byId("summary").textContent));
  if (settings.live) {
    connection("waiting", "Connecting");
    listen();
  }
})();
`;
