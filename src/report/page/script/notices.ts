/** The part of the script that draws sentences: nothing refused, the span of time, what was read. */
export const NOTICES: string = `
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
`;
