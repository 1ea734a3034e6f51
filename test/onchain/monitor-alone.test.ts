import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../worker/engine/transactions/transaction.ts';
import { addressOfScript } from '../../worker/engine/wallet/address.ts';
import { scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import type { Format, Scene } from './scene.ts';
import { Thief } from './thief.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

const begin = scenes();

const FORMATS: readonly Format[] = ['anchors', 'static_remotekey'];

/** Every output but the anchors. */
const worthSat = ({ outputs }: Transaction): bigint =>
  outputs.reduce((sum, { amountSat }) => (amountSat === 330n ? sum : sum + amountSat), 0n);

/** A process acts for `us` that has nothing but what is below `mon/`, the seed and the coins. */
describe.each(FORMATS)('the records of a monitor, the seed and a wallet, with %s,', (format) => {
  it('get out of our commitment what the whole engine gets', async () => {
    const scene = await begin({ format });
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene.us);
    await scene.giveToTower();
    await scene.mine(30);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 30_000n - ledger.feesSat(close));
  });

  it('get out of their commitment what the whole engine gets', async () => {
    const scene = await begin({ format });
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    await scene.giveToTower();
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene.them);
    await scene.mine(30);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 30_000n - ledger.feesSat(close));
  });

  it.each(['us', 'them'] as const)('give HTLCs back that nobody takes, out of a commitment of %s', async (closer) => {
    const scene = await begin({ format });
    await scene.offer({ outboundSat: [50_000n, 60_000n] });
    const { expiry } = scene;
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene[closer], { thenTheirsAreLost: true });
    await scene.giveToTower();
    await scene.mine(expiry - scene.chain.height + 25);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 110_000n - ledger.feesSat(close));
  });

  it('bring our commitment into the chain with its child', async () => {
    const scene = await begin({ format });
    const ledger = new Ledger(scene, scene.us);
    scene.oursAreLost = true;
    await scene.disconnect();
    scene.us.node.turn(() => scene.us.node.manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }));
    await scene.settle();
    scene.oursAreLost = false;
    await scene.giveToTower();
    await scene.mine(25);
    const close = scene.closeSeenBy(scene.them);
    expect(scene.them.monitor.confirmedSpend?.spend.kind).toBe('counterpartyCommitment');
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
  });

  it('take the balance out of a commitment that is newer than they know', async () => {
    const scene = await begin({ format });
    const copy = scene.us.disk.durable;
    await scene.pay(100_000n);
    const dueSat = scene.balanceSat(scene.us);
    await scene.disconnect();
    scene.us.restartFrom(copy);
    const ledger = new Ledger(scene, scene.us);
    await scene.giveToTower();
    const close = await scene.forceClose(scene.them);
    await scene.mine(3);
    expect(ledger.gainedSat).toBe(dueSat - ledger.feesSat(close));
  });

  /** A commitment of theirs with HTLCs both ways, which they have revoked. */
  async function cheated(): Promise<{ readonly scene: Scene; readonly thief: Thief; readonly ledger: Ledger }> {
    const scene = await begin({ format });
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    const thief = new Thief(scene.them);
    await scene.reconnect();
    await scene.pay(20_000n);
    await scene.disconnect();
    const ledger = new Ledger(scene, scene.us);
    await scene.giveToTower();
    return { scene, thief, ledger };
  }

  it('punish a revoked commitment as the whole engine does', async () => {
    const { scene, thief, ledger } = await cheated();
    const revoked = await scene.submit(thief.commitment);
    await scene.mine(3);
    expect(ledger.gainedSat).toBe(worthSat(revoked) - ledger.feesSat(revoked));
  });

  it('punish it also where the HTLCs were taken out of it already', async () => {
    const { scene, thief, ledger } = await cheated();
    const revoked = await scene.submit(thief.commitment);
    await scene.mineAlone(1);
    const taken = thief.htlcTransactions(scene.chain.height, 'apart');
    expect(taken).toHaveLength(1);
    const htlcTxs = await Promise.all(taken.map((raw) => scene.submit(raw)));
    await scene.mine(4);
    // An HTLC transaction's first output has what its first input spends, less its fee.
    const lostSat = htlcTxs.reduce((sum, { inputs: [input], outputs: [output] }) => {
      const htlcSat = revoked.outputs[input?.vout ?? 0]?.amountSat ?? 0n;
      return sum + htlcSat - (output?.amountSat ?? 0n);
    }, 0n);
    expect(ledger.gainedSat).toBe(worthSat(revoked) - lostSat - ledger.feesSat(revoked));
  });

  it('get HTLCs to us whose preimage came when the commitment was in the chain, also of one hash and amount', async () => {
    const scene = await begin({ format });
    const invoice = await scene.offerHeld(scene.them, 40_000n);
    await scene.offerAgain(scene.them, invoice, 0);
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene.them);
    scene.oursAreLost = true;
    await scene.mine(2);
    scene.us.release();
    await scene.settle();
    scene.oursAreLost = false;
    await scene.giveToTower();
    await scene.mine(4);
    expect(close.outputs.filter(({ amountSat }) => amountSat === 40_000n)).toHaveLength(2);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 80_000n - ledger.feesSat(close));
  });

  it('take all out of their commitment again where a reorganisation deeper than six blocks has put it back', async () => {
    const scene = await begin({ format });
    await scene.offer({ inboundSat: [30_000n] });
    const theirs = new Thief(scene.them);
    const ledger = new Ledger(scene, scene.us);
    await scene.forceClose(scene.them);
    await scene.giveToTower();
    await scene.mine(7);
    scene.theirsAreLost = true;
    await scene.reorg(8, true);
    const close = await scene.submit(theirs.commitment);
    await scene.mine(1);
    expect(scene.spendsOf(close).filter((spend) => spend !== undefined)).toEqual([]);
    await scene.mine(2);
    expect(scene.spendsOf(close).filter((spend) => spend !== undefined).length).toBeGreaterThan(0);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 30_000n - ledger.feesSat(close));
  });

  it('punish it again where a reorganisation has taken the penalty out', async () => {
    const { scene, thief, ledger } = await cheated();
    const revoked = await scene.submit(thief.commitment);
    await scene.mine(3);
    await scene.reorg(2, true);
    await scene.mine(3);
    expect(ledger.gainedSat).toBe(worthSat(revoked) - ledger.feesSat(revoked));
  });
});

describe('the records of a monitor, the seed and a wallet, with anchors,', () => {
  it('punish a cheater who has taken all HTLCs in one transaction', async () => {
    const scene = await begin({ format: 'anchors' });
    await scene.offer({ outboundSat: [50_000n, 40_000n] });
    const thief = new Thief(scene.them);
    await scene.reconnect();
    await scene.pay(20_000n);
    await scene.disconnect();
    const ledger = new Ledger(scene, scene.us);
    await scene.giveToTower();
    const revoked = await scene.submit(thief.commitment);
    await scene.mineAlone(1);
    const [taken = new Uint8Array(0)] = thief.htlcTransactions(scene.chain.height, 'together');
    const { inputs, outputs } = await scene.submit(taken);
    await scene.mine(4);
    const vouts = inputs.slice(0, 2).map(({ vout }) => vout);
    const tookSat = vouts.reduce((sum, vout) => sum + (revoked.outputs[vout]?.amountSat ?? 0n), 0n);
    expect(tookSat).toBe(90_000n);
    const keptSat = outputs.slice(0, 2).reduce((sum, { amountSat }) => sum + amountSat, 0n);
    expect(ledger.gainedSat).toBe(worthSat(revoked) - (tookSat - keptSat) - ledger.feesSat(revoked));
  });

  it('bring our commitment into the chain without a coin for its anchor', async () => {
    const scene = await begin({ format: 'anchors' });
    for (const party of scene.parties) party.keepsBooks = false;
    const away = addressOfScript(scene.them.keys.destinationScript(), 'regtest') ?? '';
    const { node } = scene.us;
    const terms = { feeratePerKw: 1_000, reserveSat: 0n };
    await scene.submit(node.turn(() => paidFrom(node.wallet, away, 'all', terms)).rawTx);
    await scene.mine(1);
    const ledger = new Ledger(scene, scene.us);
    scene.oursAreLost = true;
    await scene.disconnect();
    node.turn(() => node.manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }));
    await scene.settle();
    scene.oursAreLost = false;
    await scene.giveToTower();
    await scene.mine(24);
    const close = scene.closeSeenBy(scene.them);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
  });
});
