import type { JSX } from 'preact';
import type { WalletEvent } from '../../../worker/client/api.ts';
import { eventText } from '../format.ts';
import { useWallet } from '../wallet-context.ts';

export interface NoticesProps {
  readonly events: readonly WalletEvent[];
}

const MAX_SHOWN = 3;

/** What happened while somebody was looking elsewhere. */
export function Notices({ events }: NoticesProps): JSX.Element {
  const { dismiss } = useWallet();
  // Otherwise the older event of the same channel would take the place of the one that was read.
  const dismissAll = ({ subject }: WalletEvent): void => {
    for (const event of events) if (event.subject === subject) dismiss(event.id);
  };
  return (
    <div class="notices" role="status">
      {newestOfEach(events).map((event) => (
        <div key={event.id} class={`notice notice-${event.kind}`}>
          <p>{eventText(event)}</p>
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => dismissAll(event)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}

/** Of one payment or channel only the newest: that it is ready replaces that it is being opened. */
function newestOfEach(events: readonly WalletEvent[]): readonly WalletEvent[] {
  const newest = new Map(events.map((event) => [event.subject, event]));
  return events.filter((event) => newest.get(event.subject) === event).slice(-MAX_SHOWN);
}
