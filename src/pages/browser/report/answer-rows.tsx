import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Row } from "../../../report/summary.js";
import { bytesText } from "../../bytes.js";
import { Key } from "./key.js";
import { withInner } from "./questions.js";
import type { SparedKind } from "./spared.js";
import { momentWithZone, seconds, shareText, shortMoment, whole } from "./texts.js";

/** What all rows of a table need. */
export interface RowContext {
  readonly kinds: readonly SparedKind[];
  readonly all: number;
  readonly most: number;
  /** Whether the clock alone tells a time. */
  readonly isOneDay: boolean;
  /** Whether rows beneath others are shown before the reader asks for them. */
  readonly isUnfolded: boolean;
}

interface AnswerRowsProps {
  readonly row: Row;
  readonly name: string;
  readonly context: RowContext;
}

/** A row, and the rows beneath it. */
export function AnswerRows({ row: listed, name, context }: AnswerRowsProps) {
  const [isUnfolded, setUnfolded] = useState(context.isUnfolded);
  const { row, inner } = withInner(listed);
  const key = <Key text={row === listed ? name : row.key} />;
  const bar = (
    <span class="meter" aria-hidden="true">
      <span style={{ width: `${(100 * row.count) / context.most}%` }} />
    </span>
  );
  if (!inner) return <AnswerRow {...{ row, context }} head={[key, bar]} />;
  const button = (
    <button class="fold" type="button" aria-expanded={isUnfolded} onClick={() => setUnfolded(!isUnfolded)}>
      {key}
    </button>
  );
  return (
    <>
      <AnswerRow {...{ row, context }} head={[button, bar]} />
      {isUnfolded &&
        inner.rows.map((one) => (
          <AnswerRow key={one.key} className="inner" row={one} head={<Key text={one.key} />} {...{ context }} />
        ))}
    </>
  );
}

interface AnswerRowProps {
  readonly row: Row;
  readonly head: ComponentChildren;
  readonly context: RowContext;
  readonly className?: string;
}

function AnswerRow({ row, head, context, className }: AnswerRowProps) {
  const { kinds, all, isOneDay } = context;
  return (
    <tr class={className}>
      <th scope="row">{head}</th>
      <td class="number">{whole.format(row.count)}</td>
      <td class="number muted share">{shareText(row.count, all)}</td>
      {kinds.map((kind) => (
        <td key={kind.name} class="number">
          {bytesText(kind.bytesOf(row))}
        </td>
      ))}
      <td class="number muted last">{row.lastAt !== undefined && <Last at={row.lastAt} {...{ isOneDay }} />}</td>
    </tr>
  );
}

function Last({ at, isOneDay }: { readonly at: string; readonly isOneDay: boolean }) {
  const date = new Date(at);
  return (
    <time dateTime={at} title={momentWithZone.format(date)}>
      {(isOneDay ? seconds : shortMoment).format(date)}
    </time>
  );
}
