/**
 * The script of the page, for browsers: the modules of `src/pages/browser/report` in one text.
 *
 * It draws the summary that the document carries. If the page is live, it also draws every summary that arrives as a
 * server-sent event. The build puts the text here (`.ci/page-scripts.cjs`).
 */
export const PAGE_SCRIPT: string = "";

/** The style sheet of uPlot, which draws the chart. The build puts the text here. */
export const CHART_STYLE: string = "";
