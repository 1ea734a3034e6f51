import { describe, expect, it } from 'vitest';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { claimKeys } from '../../worker/engine/monitor/claims/claim-keys.ts';
import { claimsOf } from '../../worker/engine/monitor/claims/claims.ts';
import { signClaims } from '../../worker/engine/monitor/claims/claim-signing.ts';
import { locktimeOf, sequenceOf } from '../../worker/engine/monitor/claims/claim.ts';
import { encodeTransaction, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { CASES, CLOSES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import type { Party } from './party.ts';
import type { Scene } from './scene.ts';

const begin = scenes();

const SAT = 30_000n;
/** What they pay to the script of our HTLC transaction's output. */
const GIFT_SAT = 1_000n;

/** Our commitment is in the chain, and what takes its HTLCs goes nowhere. */
async function closedByUs(scene: Scene): Promise<Transaction> {
  scene.them.keepsBooks = false;
  for (const party of scene.parties) party.mayCloseAtDeadlines = false;
  await scene.disconnect();
  scene.us.node.turn(() => scene.us.node.manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }));
  await scene.settle();
  [scene.oursAreLost, scene.theirsAreLost] = [true, true];
  await scene.mine(1);
  return scene.close;
}

/** Takes the one HTLC of a commitment of ours as our HTLC transaction would: by its input, and with its output as the first. */
function takenLikeOurs({ them, us }: Scene): Uint8Array {
  const { params } = them.monitor;
  const keys = claimKeys(secp, them.keys.deriveChannelSigner(params, params.fundingSat));
  const [claim] = claimsOf(keys, them.monitor).filter(({ kind }) => kind === 'counterpartyHtlc');
  const script = htlcOutputScript(us);
  if (claim === undefined || script === undefined) throw new Error('there is an HTLC that both may take');
  const unsigned: Transaction = {
    version: 2,
    inputs: [{ ...claim.outpoint, sequence: sequenceOf(claim), scriptSig: new Uint8Array(0), witness: [] }],
    outputs: [
      { amountSat: GIFT_SAT, script },
      { amountSat: claim.amountSat - GIFT_SAT - 5_000n, script: them.keys.destinationScript() },
    ],
    locktime: locktimeOf(claim),
  };
  return encodeTransaction(signClaims(keys.signer, unsigned, [claim]));
}

/** Of the output that our HTLC transaction has, which is none of our wallet's. */
const htlcOutputScript = ({ monitor: { packages }, node: { wallet } }: Party): Uint8Array | undefined =>
  packages.flatMap(({ tx }) => tx.outputs.slice(0, 1)).find(({ script }) => !wallet.owns(script))?.script;

describe.each(CLOSES)('an HTLC to us, in a commitment of $closer, with $name,', (each) => {
  it('that they take back before ours is in a block is theirs, and nothing waits for ours (S28)', async () => {
    const scene = await begin(each);
    await scene.offer({ inboundSat: [SAT] });
    for (const party of scene.parties) party.mayCloseAtDeadlines = false;
    const { expiry } = scene;
    const ledger = new Ledger(scene, scene.us);
    await scene.disconnect();
    const { manager } = scene[each.closer].node;
    scene[each.closer].node.turn(() => manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }));
    await scene.settle();
    scene.oursAreLost = true;
    await scene.mine(1);
    const { close } = scene;
    expect(scene.us.monitor.packages.length).toBeGreaterThan(0);
    await scene.wait(expiry - 1 - scene.chain.height);
    await scene.mine(2);
    scene.oursAreLost = false;
    await scene.mine(28);
    expect([scene.outcomesOf(scene.them), scene.us.monitor.packages]).toEqual([['failed'], []]);
    expect(scene.us.node.manager.channels().map((entry) => scene.us.node.manager.closing(entry)?.balances)).toEqual([
      [],
    ]);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });
});

describe.each(CASES)('a spend of theirs that looks like our HTLC transaction, with $name,', (each) => {
  it('takes back an HTLC to us, but for what it pays to us (S28)', async () => {
    const scene = await begin(each);
    await scene.offer({ inboundSat: [SAT] });
    const { expiry } = scene;
    const ledger = new Ledger(scene, scene.us);
    const close = await closedByUs(scene);
    await scene.wait(expiry - scene.chain.height);
    await scene.submit(takenLikeOurs(scene));
    scene.oursAreLost = false;
    await scene.mine(8);
    expect(scene.outcomesOf(scene.them)).toEqual(['failed']);
    await scene.mine(20);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + GIFT_SAT - ledger.feesSat(close));
    expect(scene.us.monitor.packages).toEqual([]);
  });

  it('takes an HTLC of ours by its preimage, which is paid then (S28)', async () => {
    const scene = await begin(each);
    await scene.offer({ outboundSat: [SAT] });
    const { expiry } = scene;
    const ledger = new Ledger(scene, scene.us);
    const close = await closedByUs(scene);
    await scene.wait(expiry - scene.chain.height);
    await scene.submit(takenLikeOurs(scene));
    scene.oursAreLost = false;
    await scene.mine(1);
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
    await scene.mine(26);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + GIFT_SAT - ledger.feesSat(close));
    expect([scene.outcomesOf(scene.us), scene.us.monitor.packages]).toEqual([['succeeded'], []]);
  });
});
