/** The part of the script that draws what is in progress: places, waiting uploads and disk space. */
export const PRESENT: string = `
  const PLACE_HEADS = ["Places of", "Limit", "In use", "Waiting", "Waited, median", "Waited, 99%", "Full", "Late", "Evicted", "Lost"];
  const SPACE_HEADS = ["Disk space at", "Free", "Still to come"];

  function makePresent() {
    const tables = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "In progress, as a table" });
    const element = make(
      "section",
      { class: "card present", "aria-labelledby": "present" },
      make("div", { class: "head" }, make("h2", { id: "present" }, "In progress")),
      tables,
    );
    return {
      element,
      draw({ now }) {
        element.hidden = now === undefined;
        if (now === undefined) return;
        tables.replaceChildren(...presentTable(PLACE_HEADS, now.places.map(placeCells)), ...presentTable(SPACE_HEADS, now.spaces.map(spaceCells)));
      },
    };
  }

  function placeCells({ policy, limit, inUse, waiting, waitedMs, full, late, evicted, lost }) {
    const waited = waitedMs ? [durationText(waitedMs.p50), durationText(waitedMs.p99)] : ["", ""];
    return [policy, ...[limit, inUse, waiting].map(wholeText), ...waited, ...[full, late, evicted, lost].map(wholeText)];
  }

  function spaceCells({ path, freeBytes, expectedBytes }) {
    return [path, freeBytes === undefined ? "no answer" : bytesText(freeBytes), bytesText(expectedBytes)];
  }

  function wholeText(number) {
    return whole.format(number);
  }

  function presentTable(heads, rows) {
    if (rows.length === 0) return [];
    return [
      make(
        "table",
        {},
        make("thead", {}, make("tr", {}, ...heads.map((head, i) => make("th", { scope: "col", class: i > 0 && "number" }, head)))),
        make(
          "tbody",
          {},
          ...rows.map(([key, ...cells]) =>
            make("tr", {}, make("th", { scope: "row" }, keyOf(key)), ...cells.map((cell) => make("td", { class: "number" }, cell)))),
        ),
      ),
    ];
  }
`;
