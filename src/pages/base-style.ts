/** The style sheet that all pages share: light and dark, from 320 px on, and for print. */
export const BASE_STYLE: string = `
:root {
  color-scheme: light dark;
  --ground: #f5f6f8; --card: #fff; --ink: #181b21; --muted: #5a6170; --line: #e1e4ea; --faint: #eef0f3;
  --refused: #c2410c; --errors: #7e22ce; --accepted: #5f9ea8; --good: #15803d; --warn: #a16207;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1014; --card: #16191f; --ink: #e6e8ed; --muted: #9ba3b1; --line: #2a2f39; --faint: #1f232b;
    --refused: #fb8a3c; --errors: #c795fb; --accepted: #3f7c86; --good: #4ade80; --warn: #facc15;
  }
}
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.75rem clamp(.875rem, 3vw, 2rem) 2.5rem; max-width: 82rem;
  background: var(--ground); color: var(--ink);
  font: 400 .875rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, h3, p, dl, dd, ul, figure { margin: 0; padding: 0; }
h1 { font-size: 1.375rem; line-height: 1.25; font-weight: 650; letter-spacing: -.015em; }
h2 { font-size: .9375rem; line-height: 1.4; font-weight: 620; letter-spacing: -.005em; }
h3 { font-size: .75rem; font-weight: 600; color: var(--muted); }
ul { list-style: none; }
.muted { color: var(--muted); }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; text-align: right; }
:focus-visible { outline: 2px solid var(--refused); outline-offset: 2px; border-radius: 4px; }
.hidden-text { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: flex-start; justify-content: space-between; margin-bottom: 1.25rem; }
header p { margin-top: .125rem; }
main { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
.card { min-width: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.125rem; }
summary { cursor: pointer; font-size: .8125rem; color: var(--muted); width: fit-content; }
table { border-collapse: collapse; width: 100%; font-size: .8125rem; }
th, td { padding: .375rem 0 .375rem .875rem; text-align: left; vertical-align: top; font-weight: 400; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { padding-left: 0; }
thead th { color: var(--muted); font-size: .75rem; padding-top: .125rem; }
thead th.number { text-align: right; }
tbody tr:last-child > *, tfoot tr:last-child > * { border-bottom: 0; }
footer { margin-top: 1.25rem; font-size: .8125rem; }

@media (max-width: 30rem) {
  body { padding-top: 1.125rem; }
  .card { padding: .875rem; }
  summary { padding: .375rem 0; }
}
@media print {
  :root { --ground: #fff; --card: #fff; --ink: #000; --muted: #444; --line: #bbb; --faint: #eee; --refused: #c2410c; --errors: #7e22ce; --accepted: #5f9ea8; --good: #15803d; --warn: #a16207; }
  body { padding: 0; max-width: none; font-size: 9.5pt; }
  .card, tr { break-inside: avoid; }
}
`;
