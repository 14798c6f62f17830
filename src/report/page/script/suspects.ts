/** The part of the script that lists the suspects and what to change. */
export const SUSPECTS_SECTION: string = `
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
`;
