import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, type Message } from '../../../worker/engine/wire/message.ts';
import { fromHex, fromUtf8 } from '../../../worker/engine/primitives/bytes.ts';
import {
  decodeTransaction,
  transactionId,
  transactionWeight,
  type Outpoint,
} from '../../../worker/engine/transactions/transaction.ts';
import { sumOf } from '../../../worker/engine/wallet/wallet-transaction.ts';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';

/** Two nodes without a channel that are connected, where the opener's commitments pay `feeratePerKw`. */
async function atFeerate(feeratePerKw: number): Promise<World> {
  const world = new World(await startOf('empty', 'fake'));
  await world.settle();
  world.connect();
  await world.pump();
  world.setFeerate(world.a, feeratePerKw, 1_000);
  return world;
}

const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;

/** The kinds of what `a` says until it has no more to say; nothing of it arrives. */
async function said(world: World): Promise<readonly string[]> {
  for (let round = 0; round < 5; round++) {
    await world.settle();
    world.complete(world.a);
  }
  return world.intercept(world.a).flatMap((bytes) => decodeMessage(bytes)?.kind ?? []);
}

describe('a channel that we open', () => {
  it.each([
    // 1,124 weight at 10,000 sat, two anchors, and the least reserve.
    ['the commitment and the reserve', 10_000, 20_000n, 7_101_000n],
    ['the commitment', 20_000, 20_000n, 0n],
  ])('is refused where less than %s would be left to us', async (_name, feerate, amountSat, pushMsat) => {
    const world = await atFeerate(feerate);
    expect(() => world.a.node.open(world.b.node, amountSat, pushMsat)).toThrow(code('ChannelTooSmall'));
    expect(world.a.node.manager.channels()).toEqual([]);
  });

  it('has keys that no channel of another device with these words has had', async () => {
    const world = await atFeerate(1_000);
    world.a.node.manager.skipKeys(4_711);
    world.a.node.open(world.b.node, 500_000n);
    const [entry] = world.a.node.manager.channels();
    const keysId = { channelKeysIndex: 4_711, commitmentSalt: new Uint8Array(0) };
    const { fundingPubkey } = world.a.node.keys.deriveChannelSigner(keysId, 500_000n).pubkeys;
    expect(entry?.signer.pubkeys.fundingPubkey).toEqual(fundingPubkey);
  });

  it('begins where exactly that is left', async () => {
    const world = await atFeerate(10_000);
    world.a.node.open(world.b.node, 20_000n, 7_100_000n);
    expect(await said(world)).toEqual(['open_channel']);
  });

  it.each([
    ['is asked for once more', 5_000, 1],
    ['is given up where the higher one would take what is ours', 9_000, 0],
  ])('at a feerate that its peer finds too low %s', async (_name, feerate, again) => {
    const world = await atFeerate(feerate);
    const key = world.a.node.open(world.b.node, 20_000n);
    await said(world);
    const data = fromUtf8('feerate too low');
    const refusal: Message = { kind: 'error', channelId: fromHex(key), data, tlvs: {} };
    world.a.node.receive(world.b.node, 1, encodeMessage(refusal));
    expect(await said(world)).toEqual(Array.from({ length: again }, () => 'open_channel'));
    expect(world.a.node.manager.channels()).toHaveLength(again);
    const failures = world.a.node.manager.pendingEvents().filter(({ kind }) => kind === 'channelOpenFailed');
    expect(failures).toHaveLength(1 - again);
  });
});

describe('the funding of a channel that we open', () => {
  interface Funding {
    readonly weight: number;
    readonly feeSat: bigint;
    readonly coins: readonly Outpoint[];
  }
  const fundingOf = (world: World): Funding | undefined => {
    const [entry] = world.a.node.manager.channels();
    if (entry?.state.kind !== 'open' || entry.state.funding.kind !== 'unconfirmed') return undefined;
    const tx = decodeTransaction(entry.state.funding.transaction);
    const spent = world.a.node.wallet.coinsSpentBy(transactionId(tx));
    const coins = spent.map(({ txid, vout }) => ({ txid, vout }));
    return { weight: transactionWeight(tx), feeSat: sumOf(spent) - sumOf(tx.outputs), coins };
  };
  const spentBy = (world: World): readonly Outpoint[] => fundingOf(world)?.coins ?? [];
  /** The coin that a payment from somebody brings us. */
  const receivedBy = ({ a }: World, amountSat: bigint): Outpoint => {
    const { wallet } = a.node;
    const script = a.node.turn(() => wallet.newScript('receive'));
    const input = {
      txid: new Uint8Array(32).fill(0xcc),
      vout: 0,
      sequence: 0,
      scriptSig: new Uint8Array(0),
      witness: [],
    };
    const tx = { version: 2, inputs: [input], outputs: [{ amountSat, script }], locktime: 0 };
    a.node.turn(() => wallet.transactionConfirmed(tx, 100));
    return { txid: transactionId(tx), vout: 0 };
  };
  /** A coin that a payment spends which is in no block, and has no change. */
  const spentCoin = (world: World): Outpoint => {
    const coin = receivedBy(world, 40_000n);
    const inputs = [{ ...coin, sequence: 0, scriptSig: new Uint8Array(0), witness: [] }];
    const outputs = [{ amountSat: 39_000n, script: Uint8Array.of(0, 20, ...new Uint8Array(20)) }];
    world.a.node.turn(() => world.a.node.wallet.transactionMade({ version: 2, inputs, outputs, locktime: 0 }));
    return coin;
  };
  const failures = ({ a }: World): readonly string[] =>
    a.node.manager.pendingEvents().flatMap(({ kind, message }) => (kind === 'channelOpenFailed' ? [message] : []));

  it.each([undefined, 5_000])('costs what was quoted, at the feerate %s', async (feeratePerKw) => {
    const world = await atFeerate(1_000);
    const { node } = world.a;
    const terms = feeratePerKw === undefined ? {} : { feeratePerKw };
    const before = node.wallet.state;
    const feeSat = node.quoteOpen(world.b.node, 500_000n, terms);
    expect(node.wallet.state).toBe(before);
    node.open(world.b.node, 500_000n, 0n, { ...terms, maxFeeSat: feeSat });
    await world.pump();
    const funding = fundingOf(world);
    expect(funding?.feeSat).toBe(feeSat);
    expect((Number(feeSat) * 1_000) / (funding?.weight ?? 0)).toBeGreaterThanOrEqual(feeratePerKw ?? 253);
  });

  it('spends a coin of a payment that was taken back, so that only one of the two can be in the chain', async () => {
    const world = await atFeerate(1_000);
    const { node } = world.a;
    const own = receivedBy(world, 40_000n);
    node.open(world.b.node, 500_000n);
    await world.pump();
    expect(spentBy(world)).not.toContainEqual(own);
    const bound = await atFeerate(1_000);
    const rival = receivedBy(bound, 40_000n);
    bound.a.node.unsettledPayments = [[rival]];
    const feeSat = bound.a.node.quoteOpen(bound.b.node, 500_000n, {});
    bound.a.node.open(bound.b.node, 500_000n, 0n, { maxFeeSat: feeSat });
    await bound.pump();
    expect(spentBy(bound)).toContainEqual(rival);
  });

  it('is not begun while no coin of a payment that was taken back is free', async () => {
    const world = await atFeerate(1_000);
    const { node } = world.a;
    node.unsettledPayments = [[spentCoin(world)]];
    expect(() => node.open(world.b.node, 500_000n)).toThrow(code('EarlierPaymentUnsettled'));
    expect(node.manager.channels()).toEqual([]);
  });

  it('is not signed where a payment was taken back since, and nothing of it can be spent', async () => {
    const world = await atFeerate(1_000);
    const { node } = world.a;
    node.open(world.b.node, 500_000n);
    node.unsettledPayments = [[spentCoin(world)]];
    await world.pump();
    expect([fundingOf(world), node.wallet.state.locked]).toEqual([undefined, []]);
    expect(failures(world)).toEqual([expect.stringContaining('An earlier payment')]);
  });

  it('is not begun where it costs more than was agreed to', async () => {
    const world = await atFeerate(1_000);
    const feeSat = world.a.node.quoteOpen(world.b.node, 500_000n, {});
    const open = (): unknown => world.a.node.open(world.b.node, 500_000n, 0n, { maxFeeSat: feeSat - 1n });
    expect(open).toThrow(code('FeeTooHigh'));
    expect(world.a.node.manager.channels()).toEqual([]);
  });

  it('is not signed where it costs more once the peer has accepted, and its coins are free again', async () => {
    const world = await atFeerate(1_000);
    const { node } = world.a;
    const feeSat = node.quoteOpen(world.b.node, 500_000n, {});
    node.open(world.b.node, 500_000n, 0n, { maxFeeSat: feeSat });
    world.setFeerate(world.a, 4_000, 4_000);
    await world.pump();
    expect([fundingOf(world), node.wallet.state.locked]).toEqual([undefined, []]);
    expect(failures(world)).toEqual([expect.stringContaining('above the')]);
  });
});
