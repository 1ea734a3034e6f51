import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Activity } from '../../../worker/client/api.ts';
import { REPLACEMENT_WORDS, replacementsOf, type Replacement } from '../replacements.ts';
import { ReplaceDialog } from './replace-dialog.tsx';

/** What can be done about a payment that waits for a block. */
export function ReplacePayment({ activity }: { readonly activity: Activity }): JSX.Element | null {
  const [asked, setAsked] = useState<Replacement>();
  const ways = replacementsOf(activity);
  if (ways.length === 0) return null;
  return (
    <div class="row">
      {ways.map((way) => (
        <button key={way} type="button" class="plain" onClick={() => setAsked(way)}>
          {REPLACEMENT_WORDS[way].button}
        </button>
      ))}
      {asked !== undefined && <ReplaceDialog activity={activity} kind={asked} onClose={() => setAsked(undefined)} />}
    </div>
  );
}
