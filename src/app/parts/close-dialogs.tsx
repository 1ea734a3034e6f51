import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ChannelSummary, CloseQuote } from '../../../worker/client/api.ts';
import { blocksText } from '../block-time.ts';
import { msatText, satText } from '../format.ts';
import { useWallet } from '../wallet-context.ts';
import { Dialog } from './dialog.tsx';

export interface CloseDialogProps {
  readonly channel: ChannelSummary;
  readonly onConfirm: () => void;
  readonly onDone: () => void;
}

export interface CloseChannelDialogProps extends CloseDialogProps {
  readonly quote: CloseQuote;
}

export function CloseChannelDialog({ channel, quote, onConfirm, onDone }: CloseChannelDialogProps): JSX.Element {
  return (
    <Dialog title="Close this channel?" onClose={onDone}>
      <p>
        You and the peer close it together. Your {msatText(channel.balanceMsat)} come back on-chain after a
        confirmation.
      </p>
      <p>
        {channel.weOpened
          ? `Network fee: ${satText(quote.feeSat)}, and at most ${satText(quote.maxFeeSat)} if the peer asks for more.`
          : 'The peer pays the network fee.'}
      </p>
      <Buttons confirm="Close it" onConfirm={onConfirm} onDone={onDone} />
    </Dialog>
  );
}

/** After the closing transaction's block: the most that a peer may have asked for. */
const MOST_DELAY_BLOCKS = 2016;

export function ForceCloseDialog({ channel, onConfirm, onDone }: CloseDialogProps): JSX.Element {
  const { network } = useWallet().snapshot;
  const [knows, setKnows] = useState(false);
  return (
    <Dialog title="Force-close this channel?" onClose={onDone}>
      <p>Only when the peer is gone for good or refuses to close. It costs you:</p>
      <ul class="bullets">
        <li>fees of two or more transactions, higher than for a close together;</li>
        <li>
          time: your {msatText(channel.balanceMsat)} stay locked for up to {blocksText(MOST_DELAY_BLOCKS, network)};
        </li>
        {channel.pendingHtlcs > 0 && (
          <li>a transaction more for each payment under way: there are {channel.pendingHtlcs} now.</li>
        )}
      </ul>
      <p>It cannot be undone.</p>
      {!channel.stateConfirmed && (
        <label class="check">
          <input type="checkbox" checked={knows} onChange={(event) => setKnows(event.currentTarget.checked)} />
          The peer has not confirmed since the start that this device has the newest state of the channel. If this
          wallet was copied or restored, the peer may take all the money in it. I know, and I want to close it all the
          same.
        </label>
      )}
      <Buttons
        confirm="Force-close"
        disabled={!channel.stateConfirmed && !knows}
        onConfirm={onConfirm}
        onDone={onDone}
      />
    </Dialog>
  );
}

interface ButtonsProps {
  readonly confirm: string;
  readonly disabled?: boolean;
  readonly onConfirm: () => void;
  readonly onDone: () => void;
}

/** The harmless button comes first and so has the focus. */
function Buttons({ confirm, disabled = false, onConfirm, onDone }: ButtonsProps): JSX.Element {
  const confirmed = (): void => {
    onDone();
    onConfirm();
  };
  return (
    <div class="row">
      <button type="button" class="plain" onClick={onDone}>
        Keep it open
      </button>
      <button type="button" class="danger" disabled={disabled} onClick={confirmed}>
        {confirm}
      </button>
    </div>
  );
}
