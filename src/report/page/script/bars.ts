/** The part of the script that draws the bar chart as SVG. */
export const BARS: string = `
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

  /** Returns the smallest of 1, 2, 5, 10, 20, 50 … that is at least the value. */
  function niceStep(value) {
    const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
    return Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= value) ?? power);
  }

  const TICKS = [1e3, 5e3, 15e3, 3e4, 6e4, 3e5, 6e5, 9e5, 18e5, 36e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 12096e5];

  /** Returns a function that labels the buckets at round local times, as far apart as the labels need. */
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
`;
