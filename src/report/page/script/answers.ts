/** The part of the script that draws one table for each question. */
export const ANSWERS: string = `
  const SHOWN_ROWS = 8;

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
`;
