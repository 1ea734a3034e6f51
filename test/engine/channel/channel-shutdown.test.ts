import { describe, expect, it } from 'vitest';
import { feeratePerKw } from '../../../worker/engine/primitives/units.ts';
import { proposeFee } from '../../../worker/engine/channel/channel-operation.ts';
import {
  receiveShutdown,
  requestShutdown,
  sendShutdownIfSigned,
} from '../../../worker/engine/channel/channel-shutdown.ts';
import { closingPair, hear, OURS, shutdownOf, THEIRS } from './closing-pair.ts';
import { openPair, passed, refused } from './party.ts';

describe('shutdown', () => {
  it('is answered at once where nothing is unsigned', () => {
    const { opener, fundee } = closingPair();
    expect([opener.state.shutdown, fundee.state.shutdown]).toMatchObject([
      { kind: 'both', sent: true },
      { kind: 'both', sent: true },
    ]);
  });

  it('follows the commitment_signed for what the peer has signed: update_fee, commitment_signed and shutdown in one go', () => {
    const { opener, fundee } = openPair();
    opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(1500)));
    opener.sign();
    opener.apply(requestShutdown(opener.state, OURS));
    expect(opener.outbox.map(({ kind }) => kind)).toEqual(['update_fee', 'commitment_signed', 'shutdown']);
    passed(fundee.receive(opener.take('update_fee')));
    passed(fundee.receive(opener.take('commitment_signed')));
    fundee.apply(passed(hear(fundee, OURS, THEIRS)));
    fundee.sign();
    fundee.apply(sendShutdownIfSigned(fundee.state));
    expect(fundee.outbox.map(({ kind }) => kind)).toEqual(['revoke_and_ack', 'commitment_signed', 'shutdown']);
  });

  it('waits for our updates to be signed', () => {
    const { opener } = openPair();
    opener.offer(1_000_000n);
    opener.outbox.length = 0;
    opener.apply(requestShutdown(opener.state, OURS));
    expect(opener.outbox).toEqual([]);
    expect(opener.state.shutdown).toMatchObject({ kind: 'holder', sent: false });
  });

  it('is asked for once', () => {
    const { opener } = openPair();
    opener.apply(requestShutdown(opener.state, OURS));
    const first = opener.state;
    opener.apply(requestShutdown(opener.state, THEIRS));
    expect(opener.state).toBe(first);
  });

  it('goes to the script that was promised in the beginning', () => {
    const { opener } = openPair();
    const { params } = opener.state;
    const pinned = { ...params.counterparty, upfrontShutdownScript: THEIRS };
    opener.state = { ...opener.state, params: { ...params, counterparty: pinned } };
    expect(refused(hear(opener, OURS)).reason).toMatch(/upfront_shutdown_script/);
    const own = { ...params.holder, upfrontShutdownScript: OURS };
    opener.state = { ...opener.state, params: { ...params, holder: own, counterparty: pinned } };
    opener.apply(passed(hear(opener, THEIRS, THEIRS)));
    expect(opener.take('shutdown').scriptpubkey).toEqual(OURS);
  });

  it.each([
    ['a script of no standard', Uint8Array.of(0x51), /non-standard/],
    ['taproot without the feature', Uint8Array.of(0x51, 32, ...new Uint8Array(32)), /non-standard/],
  ])('is refused with %s', (_name, script, reason) => {
    expect(refused(hear(openPair().opener, script)).reason).toMatch(reason);
  });

  it('may name a later segwit version with option_shutdown_anysegwit', () => {
    const { opener } = openPair();
    const taproot = Uint8Array.of(0x51, 32, ...new Uint8Array(32));
    const features = { anySegwit: true, simpleClose: false };
    expect(passed(receiveShutdown(opener.state, shutdownOf(opener, taproot), features, OURS)).state.shutdown.kind).toBe(
      'both',
    );
  });

  it('does not change its script, and may be repeated', () => {
    const { opener } = closingPair();
    expect(passed(hear(opener, THEIRS)).state).toBe(opener.state);
    expect(refused(hear(opener, OURS)).reason).toMatch(/another script than before/);
  });

  it('does not come while an update_add_htlc is unsigned', () => {
    const { opener, fundee } = openPair();
    opener.offer(1_000_000n);
    passed(fundee.receive(opener.take('update_add_htlc')));
    expect(refused(hear(fundee, OURS)).reason).toMatch(/unsigned/);
  });
});
