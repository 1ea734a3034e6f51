import type { JSX } from 'preact';
import type { WalletEvent } from '../../../worker/client/api.ts';
import { useWallet } from '../wallet-context.ts';

export interface NoticesProps {
  readonly events: readonly WalletEvent[];
}

const MAX_SHOWN = 3;

/** What happened while somebody was looking elsewhere. */
export function Notices({ events }: NoticesProps): JSX.Element {
  const { dismiss } = useWallet();
  return (
    <div class="notices" role="status">
      {events.slice(-MAX_SHOWN).map((event) => (
        <div key={event.id} class={`notice notice-${event.kind}`}>
          <p>{event.message}</p>
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => dismiss(event.id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
