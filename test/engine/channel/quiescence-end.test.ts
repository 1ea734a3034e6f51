import { describe, expect, it } from 'vitest';
import { offerHtlc, removeHtlc } from '../../../worker/engine/channel/channel-operation.ts';
import { requestQuiescence } from '../../../worker/engine/channel/channel-quiescence.ts';
import { endQuiescence } from '../../../worker/engine/channel/quiescence-end.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { msat } from '../../../worker/engine/primitives/units.ts';
import { exchange, openPair, type Party } from './party.ts';

const PREIMAGE = new Uint8Array(32).fill(7);

/** A quiescent channel with an inbound HTLC on the fundee's side. */
function quiescentPair() {
  const { opener, fundee } = openPair();
  const terms = { paymentHash: sha256(PREIMAGE), cltvExpiry: 300, onion: new Uint8Array(1366) };
  const offered = offerHtlc(opener.env, opener.state, { ...terms, amountMsat: msat(5_000_000n) });
  if ('code' in offered) throw new Error(offered.code);
  opener.apply(offered.transition);
  exchange(opener, fundee);
  opener.apply(requestQuiescence(opener.state));
  exchange(opener, fundee);
  return { opener, fundee };
}

/** The protocol that asked for it is done: both sides know that. */
const end = (party: Party) => {
  const ended = endQuiescence(party.env, party.state);
  party.apply(ended);
  return ended.facts;
};

describe('quiescence that ends on its connection', () => {
  it('lets out what was held, and both sides commit to it', () => {
    const { opener, fundee } = quiescentPair();
    opener.offer(2_000_000n, 3);
    fundee.offer(3_000_000n, 4);
    fundee.apply(removeHtlc(fundee.state, { kind: 'fulfill', htlcId: 0n, preimage: PREIMAGE }));
    expect([opener.outbox, fundee.outbox]).toEqual([[], []]);
    expect([end(opener), end(fundee)]).toEqual([[], []]);
    expect(opener.outbox.map(({ kind }) => kind)).toEqual(['update_add_htlc']);
    expect(fundee.outbox.map(({ kind }) => kind)).toEqual(['update_fulfill_htlc', 'update_add_htlc']);
    exchange(opener, fundee);
    const amounts = opener.state.commitments.holderCommit.spec.htlcs.map(({ amountMsat }) => amountMsat);
    expect(amounts.toSorted()).toEqual([2_000_000n, 3_000_000n]);
    expect(opener.state.commitments.holderChanges.held).toEqual([]);
  });

  it('says again nothing that was said before it began', () => {
    const { opener } = openPair();
    opener.offer(1_000_000n, 3);
    opener.apply(requestQuiescence(opener.state));
    opener.offer(2_000_000n, 4);
    opener.outbox.length = 0;
    end(opener);
    expect(opener.outbox).toMatchObject([{ kind: 'update_add_htlc', id: 1n }]);
  });

  it('drops an HTLC that has expired meanwhile, and those behind it', () => {
    const { opener, fundee } = quiescentPair();
    opener.offer(2_000_000n, 3);
    opener.offer(2_000_000n, 4, 205);
    opener.offer(2_000_000n, 5);
    opener.blockHeight = 205;
    expect(end(opener)).toMatchObject([
      { kind: 'htlcDropped', htlc: { id: 2n } },
      { kind: 'htlcDropped', htlc: { id: 3n } },
    ]);
    expect(opener.state.commitments.nextHolderHtlcId).toBe(2n);
    end(fundee);
    exchange(opener, fundee);
    expect(fundee.state.commitments.holderCommit.spec.htlcs.map(({ id }) => id)).toEqual([0n, 1n]);
  });

  it('can begin again', () => {
    const { opener, fundee } = quiescentPair();
    for (const party of [opener, fundee]) end(party);
    fundee.apply(requestQuiescence(fundee.state));
    exchange(opener, fundee);
    expect(fundee.state.quiescence).toEqual({ kind: 'quiescent', initiator: 'holder' });
  });

  it('changes nothing where there is none', () => {
    const { opener } = openPair();
    expect(endQuiescence(opener.env, opener.state).state).toBe(opener.state);
  });
});
