import { describe, expect, it } from 'vitest';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import type { Transaction, TransactionOutput } from '../../worker/engine/transactions/transaction.ts';
import { receivedBy, type Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { addFor, dance } from './forge.ts';
import { fundWith, RogueOpener, transactionOf } from './rogue-opener.ts';
import { expectChannelWorks, expectOthersLive, expectSurvival } from './survival.ts';

/** A confirmed transaction that is not the funding which was promised. */
const wrongFundings: readonly [string, (right: TransactionOutput) => readonly TransactionOutput[], number?][] = [
  ['pays a foreign script', (right) => [{ ...right, script: Uint8Array.of(0, 20, ...new Uint8Array(20)) }]],
  [
    'pays 546 satoshi to a foreign script',
    () => [{ amountSat: 546n, script: Uint8Array.of(0, 20, ...new Uint8Array(20)) }],
  ],
  ['pays a hundredth to the script', (right) => [{ ...right, amountSat: 1_000n }]],
  ['pays a satoshi too little', (right) => [{ ...right, amountSat: right.amountSat - 1n }]],
  ['pays a satoshi too much', (right) => [{ ...right, amountSat: right.amountSat + 1n }]],
  ['pays nothing to the script', (right) => [{ ...right, amountSat: 0n }]],
  ['has no such output', (right) => [right], 1],
  ['has no output 65,535', (right) => [right], 0xffff],
  ['pays it with another of its outputs', (right) => [{ ...right, amountSat: 546n }, right], 0],
  ['has no outputs', () => []],
];

describe('a funding', () => {
  it('that pays what was promised makes a channel', async () => {
    const world = await arena('stranger');
    const rogue = new RogueOpener(world, { pushMsat: 50_000_000n });
    await fundWith(world, rogue, () => transactionOf([rogue.output]));
    await receiveOver(world, rogue);
    expect(receivedBy(world.victim, newestHash(world))).toBe(1_000_000n);
    await expectSurvival(world, 51_000_000n);
  });

  it.each(wrongFundings)('that %s never makes one, and nothing is taken over it', async (_name, outputs, vout = 0) => {
    const world = await arena('stranger');
    const rogue = new RogueOpener(world, { pushMsat: 50_000_000n });
    await fundWith(world, rogue, () => transactionOf(outputs(rogue.output)), vout);
    await receiveOver(world, rogue);
    expectUnusable(world);
    await expectUntouched(world);
  });

  it.each(unusualPlaces())('%s never makes one', async (_name, change, height) => {
    const world = await arena('stranger');
    const rogue = new RogueOpener(world, { pushMsat: 50_000_000n });
    await fundWith(world, rogue, () => change(transactionOf([rogue.output])), 0, height);
    await receiveOver(world, rogue);
    expectUnusable(world);
    await expectUntouched(world);
  });

  it('S4: of zeros is refused', async () => {
    const world = await arena('stranger');
    const rogue = new RogueOpener(world);
    await rogue.open();
    await world.say(rogue.fundingCreated(new Uint8Array(32), 0));
    expect(world.said).not.toContain('funding_signed');
    expect(world.said).toContain('error');
    await expectSurvival(world, 0n);
  });

  it('S3: that is the outpoint of a live channel is refused, and that channel goes on', async () => {
    const world = await arena('fundee');
    const { state } = world.channel;
    if (state.kind !== 'open') throw new Error('the channel is not open');
    const rogue = new RogueOpener(world);
    await rogue.open();
    world.forget();
    await world.say(rogue.fundingCreated(state.params.fundingTxid, state.params.fundingOutputIndex));
    expect(world.said).toEqual(['error']);
    await expectChannelWorks(world);
    await expectSurvival(world, 400_000_000n - 20_000n);
  });

  it('S3: that is the outpoint of another peer’s channel is refused, and that channel goes on', async () => {
    const world = await arena('stranger');
    const [entry] = world.victim.channelsWith(world.honest);
    if (entry?.state.kind !== 'open') throw new Error('the channel is not open');
    const { fundingTxid, fundingOutputIndex } = entry.state.params;
    const rogue = new RogueOpener(world);
    await rogue.open();
    await world.say(rogue.fundingCreated(fundingTxid, fundingOutputIndex));
    expect(world.said).toContain('error');
    expect(world.victim.channelsWith(world.honest)).toEqual([entry]);
    await expectSurvival(world, 0n);
  });

  it('S3: whose channel_id collides with that of a live channel is refused', async () => {
    const world = await arena('fundee');
    const { state } = world.channel;
    if (state.kind !== 'open') throw new Error('the channel is not open');
    const txid = Uint8Array.from(state.params.fundingTxid);
    // The output index is xored into the last two bytes: another transaction with another index has the same id.
    txid[31] = (txid[31] ?? 0) ^ (state.params.fundingOutputIndex ^ 1);
    const rogue = new RogueOpener(world);
    await rogue.open();
    world.forget();
    await world.say(rogue.fundingCreated(txid, 1));
    expect(world.said).toEqual(['error']);
    await expectChannelWorks(world);
    await expectSurvival(world, 400_000_000n - 20_000n);
  });

  it('that leaves the chain ends the taking of payments until it is deep again', async () => {
    const world = await arena('stranger');
    const rogue = new RogueOpener(world, { pushMsat: 50_000_000n });
    let transaction = transactionOf([]);
    await fundWith(world, rogue, () => (transaction = transactionOf([rogue.output])));
    world.unconfirmForVictim(transaction);
    await world.pump();
    await receiveOver(world, rogue);
    expect(receivedBy(world.victim, newestHash(world))).toBe(0n);
    expect(() => world.victim.node.pay(world.attacker.node.invoice(1_000_000n))).toThrow();
    world.confirmForVictim(world.chain.height, transaction);
    world.mine(6);
    await world.pump();
    expect(world.channel.frozen).toBeUndefined();
    await expectOthersLive(world);
  });
});

function unusualPlaces(): readonly [string, (right: Transaction) => Transaction, ((now: number) => number)?][] {
  const input = { txid: new Uint8Array(32), vout: 0xffff_ffff, sequence: 0xffff_ffff, witness: [] };
  return [
    [
      'in a coinbase that is not mature',
      (right) => ({ ...right, inputs: [{ ...input, scriptSig: Uint8Array.of(1, 1) }] }),
    ],
    ['in a block from long before the channel began', (right) => right, (now) => now - 200],
  ];
}

/** The attacker pays an invoice of the victim over the channel, if the victim takes it. */
async function receiveOver(world: Arena, rogue: RogueOpener): Promise<void> {
  const text = world.victim.node.invoice(1_000_000n);
  const { state } = world.victim.channelsWith(world.attacker).at(-1) ?? {};
  if (state?.kind !== 'open') return;
  await world.say(addFor(world, text, { channel: state }));
  if (world.isConnected) await dance(world, rogue.signer).catch(() => undefined);
}

const newestHash = ({ victim }: Arena): string =>
  toHex(victim.node.manager.inboundPayments.all().at(-1)?.paymentHash ?? new Uint8Array(0));

function expectUnusable(world: Arena): void {
  expect(world.said).not.toContain('channel_ready');
  expect(world.said).not.toContain('update_fulfill_htlc');
  expect(world.victim.node.manager.inboundPayments.all().every(({ received }) => received === undefined)).toBe(true);
}

/** There is no money to leave, and nothing else was hurt. */
async function expectUntouched(world: Arena): Promise<void> {
  expect(world.victim.faults).toEqual([]);
  world.restartVictim();
  await expectOthersLive(world);
}
