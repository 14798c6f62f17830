// Turns the list in .ci/rooms.cjs into rules for dependency-cruiser.

const { PACKAGES, ROOMS } = require("./rooms.cjs");

const rooms = Object.keys(ROOMS);
const packages = Object.keys(PACKAGES);

/** A regular expression for the files of a room, without the rooms inside it. */
function filesOf(room) {
  const inside = rooms.filter((other) => other.startsWith(`${room}/`)).map((other) => other.slice(room.length + 1));
  const path = `^src/${escaped(room)}`;
  if (room.endsWith(".ts")) return `${path}$`;
  const others = inside.map((name) => (name.endsWith(".ts") ? `${escaped(name)}$` : `${escaped(name)}/`));
  return inside.length === 0 ? `${path}/` : `${path}/(?!${others.join("|")})`;
}

function filesOfPackage(name) {
  return `(?:^|/)node_modules/(?:@types/)?${escaped(name)}/`;
}

function escaped(text) {
  return text.replaceAll(".", "\\.");
}

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...rooms.map((room) => ({
      name: `imports-of-${room}`,
      comment: `src/${room} imports from ${ROOMS[room].join(", ") || "no other room"}. See .ci/rooms.cjs.`,
      severity: "error",
      from: { path: filesOf(room) },
      to: { path: "^src/", pathNot: [room, ...ROOMS[room]].map(filesOf) },
    })),
    {
      name: "no-cycles",
      comment: "Files import each other in circles, by value or by type.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "known-rooms",
      comment: "Every file of src/ belongs to a room in .ci/rooms.cjs.",
      severity: "error",
      from: { path: "^src/", pathNot: rooms.map(filesOf) },
      to: {},
    },
    {
      name: "nothing-else",
      comment: "src/ imports only itself, Node's modules and the packages in .ci/rooms.cjs.",
      severity: "error",
      from: { path: "^src/" },
      to: { pathNot: ["^src/", ...packages.map(filesOfPackage)], dependencyTypesNot: ["core"] },
    },
    {
      name: "resolvable",
      comment: "The import leads to a file or a package.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "process-is-global",
      comment: "`process` is used as a global, where .ci/rules/environment.grit watches it.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(?:node:)?process$" },
    },
    ...packages.map((name) => ({
      name: `importers-of-${name}`,
      comment: `Only src/${PACKAGES[name].join(", src/")} may import ${name}.`,
      severity: "error",
      from: { path: "^src/", pathNot: PACKAGES[name].map(filesOf) },
      to: { path: filesOfPackage(name) },
    })),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    // Some packages name nothing else in their "exports".
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default"] },
  },
};
