// Loaded with --import: lets a recipe run on another version of a package. ALIASES has the names as JSON.
import * as module from "node:module";

const aliases = JSON.parse(process.env.ALIASES);
const resolve = (name, context, next) => next(aliases[name] ?? name, context);
if (module.registerHooks) module.registerHooks({ resolve });
else {
  const hook = `const aliases = ${process.env.ALIASES}; export const resolve = ${resolve}`;
  module.register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
