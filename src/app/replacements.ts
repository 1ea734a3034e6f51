import type { Activity, OnchainSent, ReplacementQuote } from '../../worker/client/api.ts';
import type { Wallet } from '../wallet.ts';

/** Something that can be done about an on-chain payment while it is in no block. */
export type Replacement = 'speedUp' | 'speedUpIncoming' | 'cancel';

export interface ReplacementWords {
  readonly button: string;
  readonly title: string;
  readonly explanation: string;
  readonly fee: string;
  readonly confirm: string;
}

export const REPLACEMENT_WORDS: Readonly<Record<Replacement, ReplacementWords>> = {
  speedUp: {
    button: 'Speed up',
    title: 'Pay a higher fee?',
    explanation:
      'The payment is sent again, and takes the place of the one that waits. Only one of the two can confirm.',
    fee: 'Network fee instead',
    confirm: 'Pay the higher fee',
  },
  speedUpIncoming: {
    button: 'Speed up',
    title: 'Pay a fee for it?',
    explanation:
      'What comes is sent on to this wallet at a higher fee, which a block gets only together with the payment itself.',
    fee: 'Network fee',
    confirm: 'Pay the fee',
  },
  cancel: {
    button: 'Cancel',
    title: 'Cancel this payment?',
    explanation: 'Its coins come back to you, less the fee. If a block has the payment first, it is made all the same.',
    fee: 'Network fee instead',
    confirm: 'Cancel payment',
  },
};

/** What can be done about an activity. To cancel what pays nobody would only pay this wallet again. */
export function replacementsOf({ kind, state, amountMsat }: Activity): readonly Replacement[] {
  if (state !== 'pending') return [];
  if (kind === 'onchainReceived') return ['speedUpIncoming'];
  if (kind !== 'onchainSent') return [];
  return amountMsat === 0n ? ['speedUp'] : ['speedUp', 'cancel'];
}

type Request = Parameters<Wallet['bumpOnchain']>[0];

export const quoteReplacement = (wallet: Wallet, kind: Replacement, request: Request): Promise<ReplacementQuote> =>
  kind === 'cancel' ? wallet.quoteCancel(request) : wallet.quoteBump(request);

export const replaceOnchain = (wallet: Wallet, kind: Replacement, request: Request): Promise<OnchainSent> =>
  kind === 'cancel' ? wallet.cancelOnchain(request) : wallet.bumpOnchain(request);
