import { COMPLETION } from "./completion/description.js";
import type { Description } from "./description.js";
import { PROBE } from "./probe/description.js";
import { REPORT } from "./report/description.js";
import { UPLOAD } from "./upload/description.js";

/** All commands, in the order of the help. */
export const DESCRIPTIONS: readonly Description[] = [PROBE, REPORT, UPLOAD, COMPLETION];
