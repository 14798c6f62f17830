// All set-ups, in the order of the page.
import { FRAMEWORKS, NEIGHBOURS, ON_RUNTIMES, TESTS } from "./catalogue.mjs";
import { UPLOADS } from "./uploads.mjs";

const onRuntimes = ["Bun", "Deno"].flatMap((runtime) =>
  ON_RUNTIMES.filter(({ isNotFor }) => isNotFor !== runtime).map((setup) => ({
    ...setup,
    name: `${runtime}: ${setup.name}`,
    runtime,
    packages: [],
  })),
);

/** @type {readonly { id: "frameworks" | "uploads" | "runtimes" | "neighbours" | "tests", setups: readonly object[] }[]} */
export const SECTIONS = [
  { id: "frameworks", setups: FRAMEWORKS },
  { id: "uploads", setups: UPLOADS.map((setup) => ({ ...setup, recipe: `uploads/${setup.recipe}` })) },
  { id: "runtimes", setups: onRuntimes },
  { id: "neighbours", setups: NEIGHBOURS },
  { id: "tests", setups: TESTS },
].map(({ id, setups }) => ({ id, setups: setups.map((setup) => ({ ...setup, section: id })) }));

/** The set-ups that the options of the command name. */
export function chosenOf({ short, only }) {
  return SECTIONS.flatMap(({ setups }) => setups)
    .filter(({ isShort }) => !short || isShort)
    .filter(({ name }) => only.length === 0 || only.some((part) => name.toLowerCase().includes(part.toLowerCase())));
}
