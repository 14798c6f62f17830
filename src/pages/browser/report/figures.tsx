import type { ComponentChildren } from "preact";
import type { Summary } from "../../../report/summary.js";
import { bytesText } from "../../bytes.js";
import { sparedKinds } from "./spared.js";
import { durationText, whole } from "./texts.js";

/** The main numbers. */
export function Figures({ summary, live }: { readonly summary: Summary; readonly live: boolean }) {
  const { refused, errors, accepted, omitted, durationMs } = summary;
  return (
    <dl class="card figures" aria-label="In short">
      <Figure name="Refused" series="refused">
        {whole.format(refused)}
      </Figure>
      <Figure name="Errors" series="errors">
        {whole.format(errors)}
      </Figure>
      {showsAccepted(summary, live) && (
        <Figure name="Accepted" series="accepted">
          {whole.format(accepted)}
        </Figure>
      )}
      {sparedKinds(summary).map((kind) => (
        <Figure key={kind.name} name={`Bytes ${kind.name.toLowerCase()}`}>
          <Bytes bytes={kind.bytesOf(summary)} />
        </Figure>
      ))}
      {!live && <Figure name="Left out of the log">{whole.format(omitted)}</Figure>}
      {durationMs && (
        <Figure name="Median time to refuse">
          {durationText(durationMs.p50)}
          <small>{`99% within ${durationText(durationMs.p99)}, longest ${durationText(durationMs.max)}`}</small>
        </Figure>
      )}
    </dl>
  );
}

/** Returns whether a page tells acceptances. Logs have none. */
export function showsAccepted(summary: Summary, live: boolean): boolean {
  return live || summary.accepted > 0;
}

interface FigureProps {
  readonly name: string;
  readonly series?: string;
  readonly children?: ComponentChildren;
}

function Figure({ name, series, children }: FigureProps) {
  return (
    <div>
      <dt>
        {series && <span class={`swatch ${series}`} aria-hidden="true" />}
        {name}
      </dt>
      <dd>{children}</dd>
    </div>
  );
}

function Bytes({ bytes }: { readonly bytes: number }) {
  const [number, unit] = bytesText(bytes).split(" ");
  return (
    <>
      {`${number} `}
      <span class="unit">{unit}</span>
    </>
  );
}
