import { useState } from "preact/hooks";
import type { Question, Row, Summary } from "../../../report/summary.js";
import { AnswerRows, type RowContext } from "./answer-rows.js";
import type { PageSettings } from "./data.js";
import { Key } from "./key.js";
import { QUESTIONS, sameIn } from "./questions.js";
import { sparedKinds } from "./spared.js";
import { sameDay, shareText, whole } from "./texts.js";

const SHOWN_ROWS = 8;

interface AnswersProps {
  readonly summary: Summary;
  readonly settings: PageSettings;
}

/** One table for each question that has several answers. */
export function Answers({ summary, settings }: AnswersProps) {
  const shown = QUESTIONS.filter(([question]) => {
    return sameIn(summary, question) === undefined && summary.by[question].rows.length > 0;
  });
  return (
    <div class="answers">
      {shown.map(([question, heading]) => (
        <Answer key={question} {...{ question, heading, summary, settings }} />
      ))}
    </div>
  );
}

/** What is the same in all refusals. */
export function Same({ summary, settings }: AnswersProps) {
  const same = QUESTIONS.flatMap(([question, heading]) => {
    const value = sameIn(summary, question);
    return value === undefined ? [] : [{ heading, value: question === "status" ? statusText(value, settings) : value }];
  });
  if (same.length === 0) return null;
  return (
    <section class="card same" aria-labelledby="same">
      <h2 id="same">The same in all</h2>
      <dl>
        {same.map(({ heading, value }) => (
          <div key={heading}>
            <dt>{heading}</dt>
            <dd>
              <Key text={value} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Returns a status with its name. */
export function statusText(status: string, { statusNames }: PageSettings): string {
  const name = statusNames[status];
  return name === undefined ? status : `${status} ${name}`;
}

interface AnswerProps extends AnswersProps {
  readonly question: Question;
  readonly heading: string;
}

function Answer({ question, heading, summary, settings }: AnswerProps) {
  const [isWhole, setWhole] = useState(false);
  const id = `by-${question}`;
  const { rows, others } = summary.by[question];
  const { from, to } = summary;
  const inner = rows.reduce((sum, { addresses }) => sum + (addresses?.rows.length ?? 0), 0);
  const context: RowContext = {
    kinds: sparedKinds(summary),
    all: rows.reduce((sum, row) => sum + row.count, others),
    most: rows.reduce((most, row) => Math.max(most, row.count), 1),
    isUnfolded: inner <= SHOWN_ROWS,
    isOneDay: from !== undefined && to !== undefined && sameDay(new Date(from), new Date(to)),
  };
  const keyOf = ({ key }: Row) => (question === "status" ? statusText(key, settings) : key);
  return (
    <section class="card" aria-labelledby={id}>
      <div class="head">
        <h2 id={id}>{heading}</h2>
      </div>
      <table aria-labelledby={id}>
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden-text">{heading}</span>
            </th>
            <NumberHead name="Count" />
            <NumberHead name="Share" className="share" />
            {context.kinds.map(({ name }) => (
              <NumberHead key={name} name={name} />
            ))}
            <NumberHead name="Last" className="last" />
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, isWhole ? undefined : SHOWN_ROWS).map((row) => (
            <AnswerRows key={row.key} name={keyOf(row)} {...{ row, context }} />
          ))}
        </tbody>
        <Others {...{ others, context }} />
      </table>
      {rows.length > SHOWN_ROWS && (
        <button class="more" type="button" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `Show all ${whole.format(rows.length)}`}
        </button>
      )}
    </section>
  );
}

function NumberHead({ name, className = "" }: { readonly name: string; readonly className?: string }) {
  return (
    <th scope="col" class={`number ${className}`}>
      {name}
    </th>
  );
}

function Others({ others, context }: { readonly others: number; readonly context: RowContext }) {
  if (others === 0) return null;
  return (
    <tfoot>
      <tr class="muted">
        <th scope="row">Others</th>
        <td class="number">{whole.format(others)}</td>
        <td class="number share">{shareText(others, context.all)}</td>
        {context.kinds.map(({ name }) => (
          <td key={name} />
        ))}
        <td class="last" />
      </tr>
    </tfoot>
  );
}
