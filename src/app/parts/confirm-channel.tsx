import type { JSX } from 'preact';
import type { ChannelOpening, OpenQuote } from '../../../worker/client/api.ts';
import { satText, shortId } from '../format.ts';
import { go } from '../route.ts';
import { useAgreedAction, useWallet } from '../wallet-context.ts';
import { Dialog } from './dialog.tsx';
import { DialogButtons } from './dialog-buttons.tsx';
import { ErrorBox } from './error-box.tsx';
import { Facts } from './facts.tsx';

/** A channel that could be opened, and what that costs. */
export interface QuotedChannel {
  readonly opening: ChannelOpening;
  readonly quote: OpenQuote;
}

export interface ConfirmChannelProps {
  readonly quoted: QuotedChannel;
  /** The fee has risen. */
  readonly onQuoted: (quoted: QuotedChannel) => void;
  readonly onClose: () => void;
}

/** What opening a channel costs, for the last look at it. */
export function ConfirmChannel({ quoted, onQuoted, onClose }: ConfirmChannelProps): JSX.Element {
  const { wallet } = useWallet();
  const { opening, quote } = quoted;
  const open = useAgreedAction(
    async () => {
      await wallet.openChannel({ ...opening, maxFeeSat: quote.feeSat });
      go('channels');
    },
    async () => onQuoted({ opening, quote: await wallet.quoteOpenChannel(opening) }),
  );
  return (
    <Dialog title="Open this channel?" onClose={onClose}>
      <Facts
        facts={[
          ['Peer', <span class="mono">{shortId(opening.nodeId)}</span>],
          ['Into the channel', satText(opening.amountSat)],
          ['Network fee', satText(quote.feeSat)],
          ['Total', <strong>{satText(opening.amountSat + quote.feeSat)}</strong>],
        ]}
      />
      <p class="muted">The channel can be used once blocks have confirmed it. Closing it costs a fee again.</p>
      <ErrorBox error={open.error} />
      <DialogButtons action={open}>{open.busy ? 'Opening…' : 'Open channel'}</DialogButtons>
    </Dialog>
  );
}
