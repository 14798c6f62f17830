/**
 * The script of the page, for browsers: draws the summary that stands in the document, and with `live` every one that
 * comes. Whatever it shows goes into the document as text.
 *
 * In here are neither backticks nor backslashes nor placeholders, so that it stands in the document as it stands here.
 */
export const PAGE_SCRIPT: string = `"use strict";
(() => {
  const SHOWN_ROWS = 8;
  const SERIES = [["refused", "Refused"], ["errors", "Errors"], ["accepted", "Accepted"]];
  const SVG = "http://www.w3.org/2000/svg";

  const settings = JSON.parse(byId("settings").textContent);
  const main = byId("main");

  function byId(id) {
    return document.getElementById(id);
  }

  /** Makes an element; children that are text become text. */
  function make(name, attributes, ...children) {
    return filled(document.createElement(name), attributes, children);
  }

  function makeSvg(name, attributes, ...children) {
    return filled(document.createElementNS(SVG, name), attributes, children);
  }

  function filled(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
    }
    element.append(...children.filter((child) => child !== undefined));
    return element;
  }

  // Text ---------------------------------------------------------------------------------------------------------

  const whole = new Intl.NumberFormat("en");
  const decimal = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
  const rough = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });
  const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

  function bytesOf(bytes) {
    let unit = 0;
    let value = bytes;
    for (; value >= 1023.5 && unit < UNITS.length - 1; unit++) value /= 1024;
    return [unit === 0 || value >= 100 ? whole.format(Math.round(value)) : decimal.format(value), UNITS[unit]];
  }

  function bytesText(bytes) {
    return bytesOf(bytes).join(" ");
  }

  function count(number, one, many) {
    return whole.format(number) + " " + (number === 1 ? one : many);
  }

  function shareText(part, all) {
    if (part === 0 || all === 0) return "0%";
    const percent = (100 * part) / all;
    return percent < 1 ? "<1%" : Math.round(percent) + "%";
  }

  function durationText(ms) {
    if (ms >= 1000) return decimal.format(ms / 1000) + " s";
    return decimal.format(ms) + " ms";
  }

  function spanText(ms) {
    for (const [unit, length] of Object.entries({ d: 864e5, h: 36e5, min: 6e4, s: 1e3 })) {
      if (ms >= length) return rough.format(ms / length) + " " + unit;
    }
    return Math.round(ms) + " ms";
  }

  /** @type {Intl.DateTimeFormatOptions} */
  const DAY = { day: "numeric", month: "short" };
  /** @type {Intl.DateTimeFormatOptions} */
  const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  /** @type {Intl.DateTimeFormatOptions} */
  const SECONDS = { ...CLOCK, second: "2-digit" };
  const moment = new Intl.DateTimeFormat("en-GB", { ...DAY, year: "numeric", ...SECONDS });
  const momentWithZone = new Intl.DateTimeFormat("en-GB", { ...DAY, year: "numeric", ...SECONDS, timeZoneName: "short" });
  const clock = new Intl.DateTimeFormat("en-GB", SECONDS);
  const shortMoment = new Intl.DateTimeFormat("en-GB", { ...DAY, ...CLOCK });

  function sameDay(a, b) {
    return a.toDateString() === b.toDateString();
  }

  // Isolated, so that text of the other direction turns nothing around but itself.
  function keyOf(text) {
    return make("bdi", { class: "key", title: text.length > 40 ? text : undefined }, text);
  }

  // Parts of the page: each is made once, and draws a summary as often as one comes --------------------------------

  function makeFigures() {
    const list = make("dl", { class: "card figures", "aria-label": "In short" });
    return {
      element: list,
      draw(summary) {
        const [spared, unit] = bytesOf(summary.bytesSpared);
        const time = summary.durationMs;
        list.replaceChildren(
          figure("Refused", "refused", [whole.format(summary.refused)]),
          figure("Errors", "errors", [whole.format(summary.errors)]),
          ...(showsAccepted(summary) ? [figure("Accepted", "accepted", [whole.format(summary.accepted)])] : []),
          figure("Bytes spared", undefined, [spared + " ", make("span", { class: "unit" }, unit)]),
          ...(settings.live ? [] : [figure("Left out of the log", undefined, [whole.format(summary.omitted)])]),
          ...(time
            ? [
                figure("Median time to refuse", undefined, [
                  durationText(time.p50),
                  make("small", {}, "99% within " + durationText(time.p99) + ", longest " + durationText(time.max)),
                ]),
              ]
            : []),
        );
      },
    };
  }

  function figure(name, series, value) {
    const swatch = series ? make("span", { class: "swatch " + series, "aria-hidden": "true" }) : undefined;
    return make("div", {}, make("dt", {}, swatch, name), make("dd", {}, ...value));
  }

  function showsAccepted(summary) {
    return settings.live || summary.accepted > 0;
  }

  function makeChart() {
    const legend = make("ul", { class: "legend" });
    const drawing = make("div", {});
    const readout = make("p", { class: "readout", "aria-hidden": "true" });
    const rows = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Decisions over time, as a table" });
    const details = make("details", {}, make("summary", {}, "As a table"), rows);
    const element = make(
      "section",
      { class: "card chart", "aria-labelledby": "over-time" },
      make("div", { class: "head" }, make("h2", { id: "over-time" }, "Over time"), legend),
      drawing,
      readout,
      details,
    );
    let current;
    let width = 0;
    const redraw = () => {
      element.hidden = current.overTime.buckets.length === 0;
      if (element.hidden) return;
      width = drawing.clientWidth;
      const series = SERIES.filter(([key]) => key !== "accepted" || showsAccepted(current));
      legend.replaceChildren(
        ...series.map(([key, name]) => make("li", {}, make("span", { class: "swatch " + key, "aria-hidden": "true" }), name)),
      );
      readout.textContent = spanText(current.overTime.stepMs) + " each";
      if (width > 0) drawing.replaceChildren(bars(current.overTime, series, width, readout));
      if (details.open) rows.replaceChildren(timeTable(current.overTime, series));
    };
    details.addEventListener("toggle", () => {
      if (current) redraw();
    });
    new ResizeObserver(() => {
      if (current && drawing.clientWidth !== width) redraw();
    }).observe(drawing);
    return {
      element,
      draw(summary) {
        current = summary;
        redraw();
      },
    };
  }

  function bars({ stepMs, buckets }, series, width, readout) {
    const HEIGHT = 208;
    const BOTTOM = HEIGHT - 22;
    const TOP = 8;
    const total = (bucket) => series.reduce((sum, [key]) => sum + bucket[key], 0);
    const most = Math.max(1, ...buckets.map(total));
    const step = niceStep(most / 4);
    const top = Math.ceil(most / step) * step;
    const left = 10 + 7 * whole.format(top).length;
    const slot = (width - left) / buckets.length;
    const gap = slot > 6 ? Math.min(4, slot * 0.2) : slot > 3 ? 1 : 0;
    const bar = Math.min(slot - gap, 56);
    const y = (value) => BOTTOM - (value / top) * (BOTTOM - TOP);
    const label = timeLabels(buckets, stepMs, slot);

    const grid = [];
    for (let value = 0; value <= top; value += step) {
      grid.push(
        makeSvg("line", { class: value === 0 ? "base" : "grid", x1: left, x2: width, y1: y(value), y2: y(value) }),
        makeSvg("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, whole.format(value)),
      );
    }
    const columns = [];
    const hits = [];
    const times = [];
    buckets.forEach((bucket, i) => {
      const x = left + i * slot + (slot - bar) / 2;
      let bottom = BOTTOM;
      for (const [key] of series) {
        if (bucket[key] === 0) continue;
        const height = Math.max(2, (bucket[key] / top) * (BOTTOM - TOP));
        bottom -= height;
        columns.push(makeSvg("rect", { class: key, x, y: bottom, width: bar, height }));
      }
      const hit = makeSvg("rect", { class: "hit", x: left + i * slot, y: TOP, width: slot, height: BOTTOM - TOP });
      const text = bucketText(bucket, stepMs, series);
      hit.addEventListener("pointerenter", () => {
        readout.textContent = text;
      });
      hits.push(hit);
      const name = label(i);
      const start = left + i * slot;
      if (name === undefined || start + 6.2 * name.length > width) return;
      times.push(
        makeSvg("line", { class: "base", x1: start + 0.5, x2: start + 0.5, y1: BOTTOM, y2: BOTTOM + 5 }),
        makeSvg("text", { x: start, y: HEIGHT - 4 }, name),
      );
    });
    const svg = makeSvg(
      "svg",
      {
        role: "img",
        viewBox: "0 0 " + width + " " + HEIGHT,
        "aria-label": chartText(buckets, stepMs, series),
      },
      ...grid,
      makeSvg("g", { class: "bars" }, ...columns),
      ...times,
      ...hits,
    );
    svg.addEventListener("pointerleave", () => {
      readout.textContent = spanText(stepMs) + " each";
    });
    return svg;
  }

  /** The least of 1, 2, 5, 10, 20, 50 … that is not smaller. */
  function niceStep(value) {
    const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
    return Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= value) ?? power);
  }

  const TICKS = [1e3, 5e3, 15e3, 3e4, 6e4, 3e5, 6e5, 9e5, 18e5, 36e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 12096e5];

  /** Names the buckets that begin at a round time of the local clock, as many of them as have room. */
  function timeLabels(buckets, stepMs, slot) {
    const at = buckets.map((bucket) => new Date(bucket.at));
    const first = at[0];
    const last = at[at.length - 1];
    const isOneDay = sameDay(first, last);
    const room = isOneDay ? 84 : 112;
    const tick = TICKS.find((tick) => tick >= stepMs && (tick / stepMs) * slot >= room) ?? Infinity;
    const ofDay = tick < 6e4 ? SECONDS : CLOCK;
    const format = new Intl.DateTimeFormat("en-GB", tick >= 864e5 && !isOneDay ? DAY : isOneDay ? ofDay : { ...DAY, ...ofDay });
    const roundOf = (date) => Math.floor((date.getTime() - date.getTimezoneOffset() * 6e4) / tick);
    const isRound = (i) => i > 0 && roundOf(at[i]) !== roundOf(at[i - 1]);
    const hasRound = at.some((_, i) => isRound(i));
    return (i) => (hasRound ? isRound(i) : i === 0) ? format.format(at[i]) : undefined;
  }

  function bucketText(bucket, stepMs, series) {
    const numbers = series.map(([key, name]) => whole.format(bucket[key]) + " " + name.toLowerCase());
    const from = new Date(bucket.at);
    return moment.format(from) + ", " + spanText(stepMs) + ": " + numbers.join(", ") + ", " + bytesText(bucket.bytesSpared) + " spared";
  }

  function chartText(buckets, stepMs, series) {
    const peak = buckets.reduce((most, bucket) => (bucket.refused > most.refused ? bucket : most));
    return (
      "Bar chart of " + series.map(([, name]) => name.toLowerCase()).join(", ") + " in " +
      count(buckets.length, "span", "spans") + " of " + spanText(stepMs) + "; most refused: " +
      bucketText(peak, stepMs, series) + ". The table below has every number."
    );
  }

  function timeTable({ buckets }, series) {
    const head = ["From", ...series.map(([, name]) => name), "Spared"];
    return make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ...head.map((name, i) => make("th", { scope: "col", class: i > 0 && "number" }, name)))),
      make(
        "tbody",
        {},
        ...buckets.map((bucket) =>
          make(
            "tr",
            {},
            make("th", { scope: "row" }, moment.format(new Date(bucket.at))),
            ...series.map(([key]) => make("td", { class: "number" }, whole.format(bucket[key]))),
            make("td", { class: "number" }, bytesText(bucket.bytesSpared)),
          ),
        ),
      ),
    );
  }

  function makeSuspects() {
    const list = make("ul", {});
    const element = make(
      "section",
      { class: "card suspects", "aria-labelledby": "suspects" },
      make("div", { class: "head" }, make("h2", { id: "suspects" }, "Suspects, and what to change")),
      list,
    );
    return {
      element,
      draw({ suspects }) {
        element.hidden = suspects.length === 0;
        list.replaceChildren(...suspects.map(suspectItem));
      },
    };
  }

  function suspectItem(suspect) {
    const statuses = Object.entries(suspect.statuses).sort(([, a], [, b]) => b - a);
    return make(
      "li",
      {},
      make(
        "div",
        { class: "suspect-head" },
        make("h3", {}, suspect.name),
        make("span", { class: "muted number" }, count(suspect.count, "refusal", "refusals") + ", " + bytesText(suspect.bytesSpared) + " spared"),
        make("ul", { class: "chips", "aria-label": "Refusals by status" }, ...statuses.map(([status, times]) =>
          make("li", {}, statusText(status) + " × " + whole.format(times)))),
      ),
      sentences("Known", suspect.known),
      sentences("What to change", suspect.change),
    );
  }

  function sentences(heading, texts) {
    if (texts.length === 0) return undefined;
    return make(
      "div",
      {},
      make("h4", {}, heading),
      make("ul", { class: "sentences" }, ...texts.map((text) => make("li", {}, text))),
    );
  }

  function statusText(status) {
    const name = settings.statusNames[status];
    return name === undefined ? status : status + " " + name;
  }

  function makeAnswer({ question, heading }) {
    const id = "by-" + question;
    const body = make("tbody", {});
    const foot = make("tfoot", {});
    const more = make("button", { class: "more", type: "button", "aria-expanded": "false" });
    const element = make(
      "section",
      { class: "card", "aria-labelledby": id },
      make("div", { class: "head" }, make("h2", { id }, heading)),
      make(
        "table",
        { "aria-labelledby": id },
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            make("th", { scope: "col" }, make("span", { class: "hidden-text" }, heading)),
            make("th", { scope: "col", class: "number" }, "Count"),
            make("th", { scope: "col", class: "number share" }, "Share"),
            make("th", { scope: "col", class: "number" }, "Spared"),
            make("th", { scope: "col", class: "number last" }, "Last"),
          ),
        ),
        body,
        foot,
      ),
      more,
    );
    let isWhole = false;
    let current;
    let drawn;
    const redraw = () => {
      const { rows, others } = current.by[question];
      element.hidden = rows.length === 0 && others === 0;
      more.hidden = rows.length <= SHOWN_ROWS;
      more.textContent = isWhole ? "Show fewer" : "Show all " + whole.format(rows.length);
      more.setAttribute("aria-expanded", String(isWhole));
      const state = JSON.stringify([rows, others, isWhole, current.refused, current.to]);
      if (state === drawn) return;
      drawn = state;
      const all = rows.reduce((sum, row) => sum + row.count, others);
      const most = rows.reduce((most, row) => Math.max(most, row.count), 1);
      const last = current.to === undefined ? new Date() : new Date(current.to);
      body.replaceChildren(
        ...rows.slice(0, isWhole ? undefined : SHOWN_ROWS).map((row) => rowOf(row, question, all, most, last)),
      );
      foot.replaceChildren(...(others === 0 ? [] : [othersRow(others, all)]));
    };
    more.addEventListener("click", () => {
      isWhole = !isWhole;
      redraw();
    });
    return {
      element,
      draw(summary) {
        current = summary;
        redraw();
      },
    };
  }

  function rowOf(row, question, all, most, last) {
    const bar = make("span", {});
    bar.style.width = (100 * row.count) / most + "%";
    const key = question === "status" ? statusText(row.key) : row.key;
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, keyOf(key), make("span", { class: "meter", "aria-hidden": "true" }, bar)),
      make("td", { class: "number" }, whole.format(row.count)),
      make("td", { class: "number muted share" }, shareText(row.count, all)),
      make("td", { class: "number" }, bytesText(row.bytesSpared)),
      make("td", { class: "number muted last" }, ...(row.lastAt === undefined ? [] : [lastTime(new Date(row.lastAt), last)])),
    );
  }

  function lastTime(date, last) {
    const attributes = { datetime: date.toISOString(), title: momentWithZone.format(date) };
    return make("time", attributes, (sameDay(date, last) ? clock : shortMoment).format(date));
  }

  function othersRow(others, all) {
    return make(
      "tr",
      { class: "muted" },
      make("th", { scope: "row" }, "Others"),
      make("td", { class: "number" }, whole.format(others)),
      make("td", { class: "number share" }, shareText(others, all)),
      make("td", {}),
      make("td", { class: "last" }),
    );
  }

  function makeAnswers() {
    const parts = settings.questions.map(makeAnswer);
    const element = make("div", { class: "answers" }, ...parts.map((part) => part.element));
    return {
      element,
      draw(summary) {
        element.hidden = summary.refused + summary.errors === 0;
        for (const part of parts) part.draw(summary);
      },
    };
  }

  function makeNothing() {
    const element = make("p", { class: "card notice" });
    return {
      element,
      draw(summary) {
        element.hidden = summary.refused + summary.errors > 0;
        element.replaceChildren(
          make("b", {}, "Nothing was refused."),
          settings.live ? " A refusal shows here as soon as there is one." : " There is no refusal in what was read.",
        );
      },
    };
  }

  function drawSpan({ from, to }) {
    const element = byId("span");
    if (from === undefined || to === undefined) {
      element.textContent = "No decisions yet";
      return;
    }
    const [first, last] = [new Date(from), new Date(to)];
    const end = sameDay(first, last) ? clock.format(last) : moment.format(last);
    const zone = momentWithZone.formatToParts(last).find((part) => part.type === "timeZoneName").value;
    element.replaceChildren(
      make("time", { datetime: from }, moment.format(first)),
      " to ",
      make("time", { datetime: to }, end),
      " " + zone + " (" + spanText(last.getTime() - first.getTime()) + ")",
    );
  }

  function drawRead({ read }) {
    const element = byId("read");
    if (read === undefined) return;
    const faults = [];
    if (read.malformed > 0) faults.push(count(read.malformed, "line is", "lines are") + " no JSON object");
    if (read.foreign > 0) faults.push(count(read.foreign, "line is", "lines are") + " of other software");
    element.replaceChildren(
      "Read " + count(read.lines, "line", "lines") + ", " + bytesText(read.bytes) + ". ",
      make("span", { class: read.malformed > 0 && "warn" }, faults.length > 0 ? faults.join("; ") + "." : ""),
    );
  }

  const parts = [makeFigures(), makeNothing(), makeChart(), makeSuspects(), makeAnswers()];
  main.replaceChildren(...parts.map((part) => part.element));

  function draw(summary) {
    drawSpan(summary);
    for (const part of parts) part.draw(summary);
    drawRead(summary);
  }

  // Live ---------------------------------------------------------------------------------------------------------

  const RETRY_MS = 5000;

  function listen() {
    const events = new EventSource("events");
    events.addEventListener("message", (event) => {
      connection("live", "Live");
      draw(JSON.parse(event.data));
    });
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CONNECTING) {
        connection("waiting", "Reconnecting");
        return;
      }
      // The server answered, but with no events: a session that has ended, or too many listeners.
      connection("lost", "Not connected");
      setTimeout(listen, RETRY_MS);
    });
  }

  function connection(state, text) {
    const element = byId("connection");
    if (element.dataset.state === state) return;
    element.hidden = false;
    element.dataset.state = state;
    element.textContent = text;
  }

  draw(JSON.parse(byId("summary").textContent));
  if (settings.live) {
    connection("waiting", "Connecting");
    listen();
  }
})();
`;
