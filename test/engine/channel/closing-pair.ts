import { closingDraft } from '../../../worker/engine/channel/closing-fees.ts';
import { isNegotiable, proposeClosing, receiveClosingSigned } from '../../../worker/engine/channel/channel-closing.ts';
import type { ClosedChannel, ClosingChannel, OpenChannel } from '../../../worker/engine/channel/channel-state.ts';
import { receiveShutdown, requestShutdown } from '../../../worker/engine/channel/channel-shutdown.ts';
import type { Outcome } from '../../../worker/engine/channel/transition.ts';
import type { ClosingOutputs } from '../../../worker/engine/transactions/closing.ts';
import type { MessageOf } from '../../../worker/engine/wire/message.ts';
import { openPair, passed, type PairTerms, type Party } from './party.ts';

/** Where the two sides want to be paid. */
export const [OURS, THEIRS] = [1, 2].map((fill) => Uint8Array.of(0, 20, ...new Uint8Array(20).fill(fill))) as [
  Uint8Array,
  Uint8Array,
];
export const FEATURES = { anySegwit: false, simpleClose: false };

export const shutdownOf = (party: Party, scriptpubkey: Uint8Array): MessageOf<'shutdown'> => ({
  kind: 'shutdown',
  channelId: party.state.params.channelId,
  scriptpubkey,
  tlvs: {},
});

export const hear = (party: Party, script: Uint8Array, own = OURS): ReturnType<typeof receiveShutdown> =>
  receiveShutdown(party.state, shutdownOf(party, script), FEATURES, own);

export interface ClosingTestTerms extends PairTerms {
  readonly theirScript?: Uint8Array;
  readonly acceptedSat?: bigint;
}

/** Both have said `shutdown`, and nothing is left in the channel. */
export function closingPair(terms: ClosingTestTerms = {}): { readonly opener: Party; readonly fundee: Party } {
  const { opener, fundee } = openPair(terms);
  opener.apply(requestShutdown(opener.state, OURS, terms.acceptedSat));
  const script = terms.theirScript ?? THEIRS;
  fundee.apply(passed(receiveShutdown(fundee.state, opener.take('shutdown'), FEATURES, script)));
  opener.apply(passed(receiveShutdown(opener.state, fundee.take('shutdown'), FEATURES, OURS)));
  return { opener, fundee };
}

/** The channel of a party, of which both sides have said `shutdown`. */
export function closing({ state }: Party): ClosingChannel {
  if (!isNegotiable(state)) throw new Error('fees are not negotiated yet');
  return state;
}

export interface Signing {
  readonly feeSat: bigint;
  readonly outputs?: ClosingOutputs;
  readonly range?: { readonly minFeeSatoshis: bigint; readonly maxFeeSatoshis: bigint };
}

/** A `closing_signed` of a party that does not ask its own rules; `outputs` as it sees the two sides. */
export function signedBy(party: Party, { feeSat, outputs = 'both', range }: Signing): MessageOf<'closing_signed'> {
  return {
    kind: 'closing_signed',
    channelId: party.state.params.channelId,
    feeSatoshis: feeSat,
    signature: party.signer.signClosing({ ...closingDraft(closing(party), feeSat), outputs }),
    tlvs: range === undefined ? {} : { feeRange: range },
  };
}

/** Says the first `closing_signed`, as the opener does. */
export function propose(party: Party): MessageOf<'closing_signed'> {
  party.apply(passed(proposeClosing(party.env, party.state)));
  return party.take('closing_signed');
}

/** What comes of a `closing_signed`; a channel that stays open is applied. */
export function receive(party: Party, message: MessageOf<'closing_signed'>): Outcome<OpenChannel | ClosedChannel> {
  const outcome = receiveClosingSigned(party.env, party.state, message);
  const { state } = outcome.kind === 'transition' ? outcome : party;
  if (outcome.kind === 'transition' && state.kind === 'open') party.apply({ ...outcome, state });
  return outcome;
}

/** The closed channel of an outcome that must be one, with what it has to say. */
export function closed(outcome: Outcome<OpenChannel | ClosedChannel>): {
  readonly state: ClosedChannel;
  readonly transaction: Uint8Array;
  readonly answer: MessageOf<'closing_signed'> | undefined;
} {
  const { state, facts, messages } = passed(outcome);
  const [fact] = facts;
  const [answer] = messages;
  if (state.kind !== 'closed' || fact?.kind !== 'closingAgreed') throw new Error('no fee was agreed upon');
  if (answer !== undefined && answer.kind !== 'closing_signed') throw new Error(answer.kind);
  return { state, transaction: fact.transaction, answer };
}
