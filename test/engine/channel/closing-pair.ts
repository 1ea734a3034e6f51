import { receiveShutdown, requestShutdown } from '../../../worker/engine/channel/channel-shutdown.ts';
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

/** Both have said `shutdown`, and nothing is left in the channel. */
export function closingPair(terms?: PairTerms): { readonly opener: Party; readonly fundee: Party } {
  const { opener, fundee } = openPair(terms);
  opener.apply(requestShutdown(opener.state, OURS));
  fundee.apply(passed(receiveShutdown(fundee.state, opener.take('shutdown'), FEATURES, THEIRS)));
  opener.apply(passed(receiveShutdown(opener.state, fundee.take('shutdown'), FEATURES, OURS)));
  return { opener, fundee };
}
