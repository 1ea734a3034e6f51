import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activity, WalletSnapshot } from '../../worker/client/api.ts';
import { mnemonicSeed } from '../../worker/engine/keys/mnemonic.ts';
import { nobleSecp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import { decodeTransaction } from '../../worker/engine/transactions/transaction.ts';
import { addressOfScript } from '../../worker/engine/wallet/address.ts';
import { Descriptors } from '../../worker/engine/wallet/descriptors.ts';
import { OnchainWallet } from '../../worker/engine/wallet/wallet.ts';
import { Scenario } from '../interop/scenario.ts';
import { NodeWallet } from '../interop/wallet-in-node.ts';
import vectors from '../vectors/bolt11.json' with { type: 'json' };
import { World } from '../world/world.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const HOUR_MS = 3_600_000;

let world: World;
let wallet: NodeWallet;
let scenario: Scenario;

beforeAll(async () => {
  world = await World.start();
  const config = { network: 'regtest', esploraUrls: [world.esplora.url] } as const;
  wallet = await NodeWallet.open(config, () => world.changes.notify());
  scenario = new Scenario(world, wallet);
});
afterAll(async () => {
  await wallet.close();
  await world.stop();
});

const blockTime = (height = world.chain.height): number => (world.chain.index.blockAt(height)?.time ?? 0) * 1000;

async function received(): Promise<readonly Activity[]> {
  return (await wallet.api.activity({ limit: 100 })).filter(({ kind }) => kind === 'onchainReceived');
}

describe('without a wallet', () => {
  it('there is nothing to quote', async () => {
    const onchain = wallet.api.quoteOnchain({ address: ELSEWHERE, amountSat: 1_000n });
    await expect(onchain).rejects.toMatchObject({ code: 'WalletMissing' });
    const payment = wallet.api.quotePayment({ invoice: world.alice.invoice({ msat: 1_000 }) });
    await expect(payment).rejects.toMatchObject({ code: 'WalletMissing' });
  });
});

describe('payments that came', () => {
  it('have the time of their block, which a restart does not change', async () => {
    await scenario.start();
    const before = await received();
    expect(before).toMatchObject([{ state: 'succeeded', at: blockTime() }]);
    await scenario.mine(2);
    await wallet.restart();
    expect(await received()).toEqual(before);
    await scenario.connected();
  });

  it('have the moment at which they were first seen until they are in a block, a restart or not', async () => {
    const { address } = await wallet.api.newAddress({ type: 'p2tr' });
    const earliest = Date.now();
    await world.chain.fund(address, 70_000);
    await wallet.api.wake();
    await scenario.until('the coin is seen', () => wallet.told.snapshot.onchain.unconfirmedSat === 70_000n);
    const [pending] = (await received()).filter(({ state }) => state === 'pending');
    expect(pending?.at).toBeGreaterThanOrEqual(earliest);
    expect(pending?.at).toBeLessThanOrEqual(Date.now());
    await wallet.restart();
    expect((await received()).filter(({ state }) => state === 'pending')).toEqual([pending]);
    await scenario.connected();
    await scenario.mine(1);
    const [confirmed] = (await received()).filter(({ id }) => id === pending?.id);
    expect(confirmed).toMatchObject({ state: 'succeeded', at: blockTime() });
  });

  it('stay in the list when they are spent, and what came back as change is not in it', async () => {
    const before = await received();
    const { txid } = await wallet.api.sendOnchain({ address: ELSEWHERE, amountSat: 950_000n });
    await scenario.until('the payment is out', () => world.chain.find(txid) !== undefined);
    await scenario.mine(102);
    expect(await received()).toEqual(before);
    await wallet.restart();
    await scenario.connected();
    await scenario.mine(1);
    expect(await received()).toEqual(before);
  });

  it('to an address that was used up long ago are seen at the next start', async () => {
    const { address } = await wallet.api.newAddress({ type: 'p2tr' });
    await world.fund(address, 70_000);
    await scenario.mine(1);
    await wallet.api.sendOnchain({ address: ELSEWHERE, amountSat: 'all' });
    await scenario.mine(102);
    await wallet.restart();
    await scenario.connected();
    await scenario.mine(1);
    const before = await received();
    await world.fund(address, 80_000);
    await wallet.restart();
    await scenario.until('the coins', () => wallet.told.snapshot.onchain.confirmedSat === 80_000n);
    expect((await received()).length).toBe(before.length + 1);
    await scenario.fund(50_000_000);
  });

  it('are not those to itself, not even when their coins are spent and the chain tells of them again', async () => {
    await scenario.fund(60_000_000);
    const before = await received();
    const line = before.find(({ amountMsat }) => amountMsat === 50_000_000_000n);
    const first = world.chain.find(line?.id ?? '')?.tx.toRaw() ?? new Uint8Array(0);
    // The first address is also where closed channels pay to: the chain is asked for it at every start.
    const script = decodeTransaction(first).outputs.find(({ amountSat }) => amountSat === 50_000_000n)?.script;
    const address = addressOfScript(script ?? new Uint8Array(0), 'regtest') ?? '';
    const pays = async (to: string, amountSat: bigint): Promise<void> => {
      const { txid } = await wallet.api.sendOnchain({ address: to, amountSat });
      await scenario.until('the payment is out', () => world.chain.find(txid) !== undefined);
      await scenario.mine(1);
    };
    await pays(address, 55_000_000n);
    // With the coin that came back goes the change.
    await pays(ELSEWHERE, 108_000_000n);
    await scenario.mine(101);
    await wallet.restart();
    await scenario.connected();
    await scenario.mine(1);
    expect(await received()).toEqual(before);
    await scenario.fund(50_000_000);
  });
});

describe('what does not confirm', () => {
  let alone: NodeWallet;
  let onAlone: Scenario;
  let twin: Descriptors;
  beforeAll(async () => {
    alone = await NodeWallet.openIn(world);
    onAlone = new Scenario(world, alone);
    const { mnemonic } = await alone.api.createWallet();
    twin = new Descriptors(mnemonicSeed(mnemonic), 'regtest');
    await onAlone.until('the chain is synced', () => alone.told.snapshot.chain.kind === 'synced');
  });
  afterAll(() => alone.close());

  const pay = async (sats: number): Promise<string> => {
    const { address } = await alone.api.newAddress({ type: 'p2wpkh' });
    return world.chain.fund(address, sats);
  };
  const states = async (): Promise<readonly string[]> =>
    (await alone.api.activity({ limit: 100 })).map(({ kind, state }) => `${kind} ${state}`);
  const caughtUp = async (): Promise<WalletSnapshot['onchain']> => {
    await onAlone.until('the chain', () => {
      const { kind, blockHeight } = alone.told.snapshot.chain;
      return kind === 'synced' && blockHeight === world.chain.height;
    });
    return (await alone.api.snapshot()).onchain;
  };

  it('is gone after a start, if it came from others and vanished meanwhile', async () => {
    await pay(70_000);
    await alone.api.wake();
    await onAlone.until('the coin', () => alone.told.snapshot.onchain.unconfirmedSat === 70_000n);
    expect(await states()).toEqual(['onchainReceived pending']);
    await alone.close();
    await world.chain.mine();
    await world.chain.reorg(1, { keepOut: true });
    await alone.restart();
    expect(await caughtUp()).toMatchObject({ confirmedSat: 0n, unconfirmedSat: 0n });
    expect(await states()).toEqual([]);
  });

  it('takes the coins of a replacement from another place, not both', async () => {
    const txid = await pay(200_000);
    await onAlone.mine(1);
    const coin = decodeTransaction(world.chain.find(txid)?.tx.toRaw() ?? new Uint8Array(0));
    for (const feeratePerKw of [1_000, 9_000]) {
      const elsewhere = new OnchainWallet(nobleSecp256k1, twin);
      elsewhere.transactionConfirmed(coin, world.chain.height);
      const { rawTx, feeSat } = paidFrom(elsewhere, ELSEWHERE, 50_000n, { feeratePerKw, reserveSat: 0n });
      await world.chain.submit(rawTx);
      await alone.api.wake();
      const changeSat = 150_000n - feeSat;
      await onAlone.until('the change', () => alone.told.snapshot.onchain.spendableSat === changeSat);
      expect(alone.told.snapshot.onchain.confirmedSat).toBe(0n);
    }
    await onAlone.mine(1);
  });

  it('keeps its coins, if it is our own, though the server has forgotten it and hears of it only later', async () => {
    const before = (await alone.api.snapshot()).onchain.confirmedSat;
    const { txid, feeSat } = await alone.api.sendOnchain({ address: ELSEWHERE, amountSat: 60_000n });
    await onAlone.until('the payment is out', () => world.chain.find(txid) !== undefined);
    await onAlone.mine(1);
    world.esplora.faults.add({ kind: 'answer', status: 500, path: '^/tx$', times: 1_000 });
    await world.chain.reorg(1, { keepOut: true });
    await alone.api.wake();
    const kept = { confirmedSat: 0n, unconfirmedSat: 0n, spendableSat: before - 60_000n - feeSat };
    expect(await caughtUp()).toMatchObject(kept);
    await alone.restart();
    expect(await caughtUp()).toMatchObject(kept);
    expect([await states(), world.chain.find(txid)]).toEqual([
      expect.arrayContaining(['onchainSent pending']),
      undefined,
    ]);
    world.esplora.faults.clear();
    await onAlone.mine(1);
    await onAlone.until('the payment is out again', () => world.chain.find(txid) !== undefined);
    await onAlone.mine(1);
    expect(await states()).toContain('onchainSent succeeded');
  });

  it('keeps its coins, if it is the funding of a channel, in the same way', async () => {
    await pay(400_000);
    await onAlone.mine(1);
    await alone.api.connectPeer({ nodeId: world.alice.id, address: onAlone.proxied() });
    await onAlone.connected();
    await alone.api.openChannel({ nodeId: world.alice.id, amountSat: 300_000n, pushMsat: 0n });
    await onAlone.until('the funding is out', () => world.chain.mempoolTxs().length > 0);
    const funding = world.chain.mempoolTxs()[0]?.txid() ?? '';
    await onAlone.mine(1);
    const { confirmedSat } = (await alone.api.snapshot()).onchain;
    world.esplora.faults.add({ kind: 'answer', status: 500, path: '^/tx$', times: 1_000 });
    await world.chain.reorg(1, { keepOut: true });
    await alone.api.wake();
    const before = await caughtUp();
    expect(before.spendableSat + before.reservedSat + before.unconfirmedSat).toBe(confirmedSat);
    await alone.restart();
    expect(await caughtUp()).toEqual(before);
    world.esplora.faults.clear();
    await onAlone.mine(1);
    await onAlone.until('the funding is out again', () => world.chain.find(funding) !== undefined);
    await onAlone.mine(1);
  });
});

describe('a quote on chain', () => {
  it('is what is then paid, and changes no balance', async () => {
    const before = wallet.told.snapshot.onchain;
    const request = { address: ELSEWHERE, amountSat: 123_456n } as const;
    const quote = await wallet.api.quoteOnchain(request);
    expect(await wallet.api.quoteOnchain(request)).toEqual(quote);
    expect((await wallet.api.snapshot()).onchain).toEqual(before);
    expect(quote).toMatchObject({ amountSat: 123_456n });
    const sent = await wallet.api.sendOnchain({ ...request, maxFeeSat: quote.feeSat });
    expect(sent.feeSat).toBe(quote.feeSat);
    const [line] = (await wallet.api.activity({ limit: 100 })).filter(({ id }) => id === sent.txid);
    expect(line).toMatchObject({ kind: 'onchainSent', amountMsat: 123_456_000n, feeMsat: quote.feeSat * 1000n });
    await scenario.until('the payment is out', () => world.chain.find(sent.txid) !== undefined);
    await scenario.mine(1);
  });

  it('does not let a payment cost more than was agreed to', async () => {
    const before = (await wallet.api.snapshot()).onchain;
    const request = { address: ELSEWHERE, amountSat: 'all' } as const;
    const { feeSat } = await wallet.api.quoteOnchain(request);
    const refused = wallet.api.sendOnchain({ ...request, maxFeeSat: feeSat - 1n });
    await expect(refused).rejects.toMatchObject({ code: 'FeeTooHigh', details: { feeSat, maxFeeSat: feeSat - 1n } });
    expect((await wallet.api.snapshot()).onchain).toEqual(before);
  });

  it.each([
    ['nonsense', 10_000n, 'AddressInvalid'],
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 10_000n, 'AddressWrongNetwork'],
    [ELSEWHERE, 100n, 'AmountBelowDust'],
    [ELSEWHERE, 5_000_000_000n, 'InsufficientFunds'],
  ] as const)('to %s of %d is refused as the payment is', async (address, amountSat, code) => {
    await expect(wallet.api.quoteOnchain({ address, amountSat })).rejects.toMatchObject({ code });
    await expect(wallet.api.sendOnchain({ address, amountSat })).rejects.toMatchObject({ code });
  });
});

describe('a quote over Lightning', () => {
  it('is what a node behind the peer then costs', async () => {
    await scenario.openChannel();
    const invoice = world.bob.invoice({ msat: 50_000_000 });
    const quote = await wallet.api.quotePayment({ invoice });
    expect(quote).toMatchObject({ amountMsat: 50_000_000n, maxFeeMsat: 1_000_000n });
    expect(quote.feeMsat).toBeGreaterThan(0n);
    const tooLittle = wallet.api.payInvoice({ invoice, maxFeeMsat: quote.feeMsat - 1n });
    await expect(tooLittle).rejects.toMatchObject({ code: 'FeeTooHigh' });
    const { paymentId } = await wallet.api.payInvoice({ invoice, maxFeeMsat: quote.feeMsat });
    await scenario.sent(paymentId);
    const [line] = (await wallet.api.activity({ limit: 100 })).filter(({ id }) => id === paymentId);
    expect(line?.feeMsat).toBe(quote.feeMsat);
    await expect(wallet.api.quotePayment({ invoice })).rejects.toMatchObject({ code: 'PaymentAlreadySent' });
  });

  it('to the peer is free, for an amount that is chosen too', async () => {
    const quote = await wallet.api.quotePayment({ invoice: world.alice.invoice(), amountMsat: 2_000_003n });
    expect(quote).toEqual({ amountMsat: 2_000_003n, feeMsat: 0n, maxFeeMsat: 40_000n });
  });

  it('is refused as the payment is', async () => {
    const refuses = async (request: { invoice: string; amountMsat?: bigint }, code: string): Promise<void> => {
      const [quoted, paid] = [wallet.api.quotePayment(request), wallet.api.payInvoice(request)];
      const refusal = { code };
      await Promise.all([expect(quoted).rejects.toMatchObject(refusal), expect(paid).rejects.toMatchObject(refusal)]);
    };
    await refuses({ invoice: vectors.valid[0]?.invoice ?? '' }, 'InvoiceOtherNetwork');
    await refuses({ invoice: world.alice.invoice() }, 'AmountMissing');
    await refuses({ invoice: world.alice.invoice({ msat: 1_000 }), amountMsat: 2_000n }, 'AmountMismatch');
    await refuses({ invoice: world.alice.invoice({ msat: 9_000_000_000 }) }, 'InsufficientBalance');
    const own = await wallet.api.createInvoice({ amountMsat: 1_000n, description: 'mine' });
    await refuses({ invoice: own.invoice }, 'PaymentToSelf');
    const old = world.alice.invoice({ msat: 1_000 });
    wallet.clockSkewMs = 2 * HOUR_MS;
    const late = refuses({ invoice: old }, 'InvoiceExpired');
    wallet.clockSkewMs = 0;
    await late;
  });
});
