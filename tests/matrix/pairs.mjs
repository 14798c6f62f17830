/**
 * Chooses rows of a table so that every combination of values of any `strength` dimensions is in one of them at least.
 *
 * Greedy: each row begins with a combination that is still missing, and takes the values that bring most other ones.
 *
 * @param dimensions - lists of values by name.
 * @param exclusions - `{ when: { name: values } }`: rows that have one of the values in each of the names are impossible.
 * @param random - breaks ties, so that another seed gives other rows.
 */
export function cover(dimensions, exclusions, strength, random) {
  const names = Object.keys(dimensions);
  const missing = new Set(combinations(names, strength).flatMap((some) => tuples(some, dimensions).map(keyOf)));
  const rows = [];
  for (const key of missing) {
    const row = complete(Object.fromEntries(JSON.parse(key)));
    missing.delete(key);
    if (!row) continue;
    rows.push(row);
    for (const some of combinations(names, strength)) missing.delete(keyIn(row, some));
  }
  return rows;

  // Takes the dimension that has least left to choose from first, so that a dead end shows early.
  function complete(row) {
    const open = names.filter((name) => !(name in row)).map((name) => ({ name, rows: allowed(row, name) }));
    if (open.length === 0) return isExcluded(row, exclusions) ? undefined : inOrder(row, names);
    const least = Math.min(...open.map(({ rows }) => rows.length));
    if (least === 0) return undefined;
    const { name, rows: longer } = least === 1 ? open.find(({ rows }) => rows.length === 1) : random.pick(open);
    const ranked = longer.map((candidate) => ({ candidate, gain: gainOf(candidate, name) + random.float() / 2 }));
    ranked.sort((a, b) => b.gain - a.gain);
    for (const { candidate } of ranked) {
      const completed = complete(candidate);
      if (completed) return completed;
    }
    return undefined;
  }

  function allowed(row, name) {
    return dimensions[name]
      .map((value) => ({ ...row, [name]: value }))
      .filter((longer) => !isExcluded(longer, exclusions));
  }

  // How many missing combinations a row has by the value of `name`.
  function gainOf(row, name) {
    const others = names.filter((other) => other !== name && other in row);
    const withName = combinations(others, strength - 1).map((some) =>
      names.filter((n) => n === name || some.includes(n)),
    );
    return withName.filter((some) => missing.has(keyIn(row, some))).length;
  }
}

/** Whether an exclusion holds for a row, or for the part of it that is known. */
export function isExcluded(row, exclusions) {
  return exclusions.some(({ when }) => Object.entries(when).every(([name, values]) => values.includes(row[name])));
}

function combinations(list, size) {
  if (size === 0) return [[]];
  return list.flatMap((first, i) => combinations(list.slice(i + 1), size - 1).map((rest) => [first, ...rest]));
}

function tuples([name, ...others], dimensions) {
  if (name === undefined) return [[]];
  const rest = tuples(others, dimensions);
  return dimensions[name].flatMap((value) => rest.map((tuple) => [[name, value], ...tuple]));
}

const keyOf = (tuple) => JSON.stringify(tuple);
const keyIn = (row, some) => JSON.stringify(some.map((name) => [name, row[name]]));
const inOrder = (row, names) => Object.fromEntries(names.map((name) => [name, row[name]]));
