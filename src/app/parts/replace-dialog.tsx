import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Activity } from '../../../worker/client/api.ts';
import { exactMsatText, feerateText, readFeerate, satText } from '../format.ts';
import { quoteReplacement, REPLACEMENT_WORDS, replaceOnchain, type Replacement } from '../replacements.ts';
import { useQuote } from '../use-quote.ts';
import { useAgreedAction, useWallet } from '../wallet-context.ts';
import { Dialog } from './dialog.tsx';
import { DialogButtons } from './dialog-buttons.tsx';
import { ErrorBox } from './error-box.tsx';
import { Facts } from './facts.tsx';
import { FeerateField } from './feerate-field.tsx';

export interface ReplaceDialogProps {
  readonly activity: Activity;
  readonly kind: Replacement;
  readonly onClose: () => void;
}

/** What it would cost at the feerate that is typed, and the yes to it. */
export function ReplaceDialog({ activity, kind, onClose }: ReplaceDialogProps): JSX.Element {
  const { wallet } = useWallet();
  const [typed, setTyped] = useState('');
  const [round, setRound] = useState(0);
  const chosen = readFeerate(typed);
  const request = { txid: activity.id, ...chosen };
  const quoted = useQuote(chosen && `${chosen.feeratePerVbyte}`, round, () => quoteReplacement(wallet, kind, request));
  const quote = quoted.kind === 'quoted' ? quoted.quote : undefined;
  const replace = useAgreedAction(
    async () => {
      if (quote === undefined) return;
      await replaceOnchain(wallet, kind, { ...request, maxFeeSat: quote.feeSat });
      onClose();
    },
    () => setRound(round + 1),
  );
  const words = REPLACEMENT_WORDS[kind];
  return (
    <Dialog title={words.title} onClose={onClose}>
      <p class="muted">{words.explanation}</p>
      <FeerateField value={typed} onInput={setTyped} />
      <Facts
        facts={[
          ['Network fee now', kind === 'speedUpIncoming' ? '' : exactMsatText(activity.feeMsat)],
          [words.fee, quote === undefined ? '…' : <strong>{satText(quote.feeSat)}</strong>],
          ['Its feerate', quote === undefined ? '…' : feerateText(quote.feeratePerVbyte)],
        ]}
      />
      <ErrorBox error={replace.error ?? (quoted.kind === 'refused' ? quoted.error : undefined)} />
      <DialogButtons action={replace} disabled={quote === undefined}>
        {words.confirm}
      </DialogButtons>
    </Dialog>
  );
}
