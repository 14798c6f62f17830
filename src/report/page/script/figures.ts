/** The part of the script that draws the main numbers. */
export const FIGURES: string = `
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
`;
