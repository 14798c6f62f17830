/**
 * The script of the probe's page, for browsers: the modules of `src/pages/browser/probe` in one text.
 *
 * It adds copy buttons and opens all details for print. The build puts the text here (`.ci/page-scripts.cjs`).
 */
export const PROBE_PAGE_SCRIPT: string = "";
