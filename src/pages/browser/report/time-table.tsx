import { bytesText } from "../../bytes.js";
import type { View } from "./columns.js";
import type { Series } from "./plot.js";
import type { SparedKind } from "./spared.js";
import { moment, whole } from "./texts.js";

interface TimeTableProps {
  readonly view: View;
  readonly series: readonly Series[];
  readonly names: Readonly<Record<Series, string>>;
  readonly kinds: readonly SparedKind[];
}

/** The columns of the chart as a table, for those who do not see it. */
export function TimeTable({ view, series, names, kinds }: TimeTableProps) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">From</th>
          {[...series.map((name) => names[name]), ...kinds.map(({ name }) => name)].map((head) => (
            <th key={head} scope="col" class="number">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {view.columns.map((column) => (
          <tr key={column.at}>
            <th scope="row">{moment.format(column.at)}</th>
            {series.map((name) => (
              <td key={name} class="number">
                {whole.format(column[name])}
              </td>
            ))}
            {kinds.map((kind) => (
              <td key={kind.name} class="number">
                {bytesText(kind.bytesOf(column))}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
