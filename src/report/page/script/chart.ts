/** The part of the script that draws the section "Over time": legend, chart and table. */
export const CHART: string = `
  const SERIES = [["refused", "Refused"], ["errors", "Errors"], ["accepted", "Accepted"]];

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
`;
