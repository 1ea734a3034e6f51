import { describe, expect, it } from 'vitest';
import { CLTV_CLAIM_BUFFER } from '../../worker/engine/primitives/lock-times.ts';
import { CASES, CLOSES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import type { Scene } from './scene.ts';

const begin = scenes();

const SAT = 30_000n;

const stateOf = ({ us }: Scene): string | undefined => us.node.manager.channels()[0]?.state.kind;

/** What nobody forwards: the other edge of a payment that is passed on has no say here yet. */
describe.each(CASES)('an HTLC to us that is not decided upon, with $name,', (each) => {
  it('is given back when it has become too late to take it, and nothing is closed (S23)', async () => {
    const scene = await begin(each);
    const before = scene.balanceSat(scene.us);
    await scene.offerHeld(scene.them, SAT);
    await scene.wait(scene.expiry - CLTV_CLAIM_BUFFER + 1 - scene.chain.height);
    await scene.reconnect();
    scene.us.reconsider();
    await scene.settle();
    expect([stateOf(scene), scene.outcomesOf(scene.them)]).toEqual(['open', ['failed']]);
    await scene.mine(CLTV_CLAIM_BUFFER + 4);
    expect([stateOf(scene), scene.us.monitor.closed, scene.balanceSat(scene.us)]).toEqual(['open', 'no', before]);
  });

  it('closes nothing near its expiry, and goes back by the close of whoever offered it (S23)', async () => {
    const scene = await begin(each);
    await scene.offerHeld(scene.them, SAT);
    const { expiry } = scene;
    const ledger = new Ledger(scene, scene.us);
    await scene.disconnect();
    await scene.wait(expiry - CLTV_CLAIM_BUFFER - 1 - scene.chain.height);
    await scene.mine(CLTV_CLAIM_BUFFER + 3);
    expect([stateOf(scene), scene.us.monitor.closed]).toEqual(['open', 'no']);
    await scene.mine(12);
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('counterpartyCommitment');
    expect([scene.us.monitor.closed, scene.outcomesOf(scene.them)]).toEqual(['wait', ['failed']]);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(scene.close));
  });
});

describe.each(CLOSES)('an HTLC to us that is not decided upon, in a commitment of $closer, with $name,', (each) => {
  it('shows no preimage once it is too late to take it, and goes back to whoever offered it (S23)', async () => {
    const scene = await begin(each);
    await scene.offerHeld(scene.them, SAT);
    const { expiry } = scene;
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene[each.closer]);
    await scene.mine(21);
    await scene.wait(expiry - CLTV_CLAIM_BUFFER / 2 - scene.chain.height);
    scene.us.reconsider();
    await scene.settle();
    expect(scene.us.monitor.preimages.size).toBe(0);
    await scene.wait(expiry - 1 - scene.chain.height);
    await scene.mine(8);
    expect(scene.outcomesOf(scene.them)).toEqual(['failed']);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });
});
