import type { Suspect } from "../../../report/summary.js";
import { statusText } from "./answers.js";
import type { PageSettings } from "./data.js";
import { sparedText } from "./spared.js";
import { count, whole } from "./texts.js";

interface NotesProps {
  readonly suspects: readonly Suspect[];
  readonly settings: PageSettings;
}

/** What is known about well-known clients, and what to change on their side. */
export function ClientNotes({ suspects, settings }: NotesProps) {
  if (suspects.length === 0) return null;
  return (
    <section class="card suspects" aria-labelledby="suspects">
      <div class="head">
        <h2 id="suspects">Client notes</h2>
      </div>
      <ul>
        {suspects.map((suspect) => (
          <Note key={suspect.id} {...{ suspect, settings }} />
        ))}
      </ul>
    </section>
  );
}

function Note({ suspect, settings }: { readonly suspect: Suspect; readonly settings: PageSettings }) {
  const statuses = Object.entries(suspect.statuses).sort(([, a], [, b]) => b - a);
  return (
    <li>
      <div class="suspect-head">
        <h3>{suspect.name}</h3>
        <span class="muted number">{`${count(suspect.count, "refusal", "refusals")}, ${sparedText(suspect)}`}</span>
        <ul class="chips" aria-label="Refusals by status">
          {statuses.map(([status, times]) => (
            <li key={status}>{`${statusText(status, settings)} × ${whole.format(times)}`}</li>
          ))}
        </ul>
      </div>
      <Sentences heading="Known" texts={suspect.known} />
      <Sentences heading="What to change" texts={suspect.change} />
      <Sentences heading="Against the 417 alone" texts={suspect.leaveOut} />
    </li>
  );
}

function Sentences({ heading, texts }: { readonly heading: string; readonly texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <div>
      <h4>{heading}</h4>
      <ul class="sentences">
        {texts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </div>
  );
}
