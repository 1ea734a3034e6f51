import { describe, expect, it } from 'vitest';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { decodeInvoice } from '../../worker/engine/payments/bolt11.ts';
import type { ChannelEntry } from '../../worker/engine/manager/channel-entry.ts';
import type { ChannelParameters } from '../../worker/engine/transactions/channel-parameters.ts';
import { transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { fakeSecp256k1 } from '../simulation/fake-secp256k1.ts';
import { identityOf } from '../simulation/identity.ts';
import { MemoryDisk } from '../simulation/memory-store.ts';
import { SimulatedNode } from '../simulation/node.ts';
import { outcomeOf, receivedBy, type Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { addFor, dance, revokeAndAck } from './forge.ts';
import { closeAlone, expectExit, spendOf } from './survival.ts';

const AMOUNT_MSAT = 9_000_000n;
const PART_MSAT = 5_000_000n;

const paramsOf = ({ state }: ChannelEntry): ChannelParameters => {
  if (!('params' in state)) throw new Error('the channel has no funding');
  return state.params;
};

const nameOf = (entry: ChannelEntry): string => String(paramsOf(entry).channelKeysIndex);

const keysOf = (world: Arena): string[] => world.victim.channelsWith(world.attacker).map(({ key }) => key);

const entryOf = (world: Arena, key: string): ChannelEntry | undefined =>
  world.victim.node.manager.channels().find((entry) => entry.key === key);

function fundingOf(world: Arena, params: ChannelParameters): Transaction {
  const found = world.chain.blocks
    .flatMap(({ transactions }) => transactions)
    .find((transaction) => transactionId(transaction).join() === params.fundingTxid.join());
  if (found === undefined) throw new Error('the funding is not in the chain');
  return found;
}

/** A victim that has started from a disk on which something was changed. */
async function restartWith(world: Arena, change: (records: Map<string, Uint8Array>) => void): Promise<void> {
  const records = new Map(world.victim.disk.durable);
  change(records);
  world.restartVictimFrom(records);
  await world.pump();
}

/** As `restartWith`, past the arena's own look at what is on the disk. */
function startFrom(world: Arena, change: (records: Map<string, Uint8Array>) => void): SimulatedNode {
  const records = new Map(world.victim.disk.durable);
  change(records);
  const disk = new MemoryDisk();
  disk.apply(records);
  return new SimulatedNode({
    ...identityOf(fakeSecp256k1, 'victim'),
    name: 'victim',
    secp: fakeSecp256k1,
    store: disk.open(),
    now: () => 1_700_000_000_000,
  });
}

/** Payments back and forth over the channels with the attacker. */
async function trade(world: Arena, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await world.pay(world.attacker, world.victim, 3_000_000n);
    await world.pay(world.victim, world.attacker, 1_000_000n);
  }
}

describe('a payment in two parts', () => {
  // what was looked at when a part came is looked at again when the set is complete.
  it('whose first part is over a funding that has left the chain meanwhile is not claimed', async () => {
    const world = await arena('two');
    world.silenced = true;
    const [first = '', second = ''] = keysOf(world);
    const text = world.victim.node.invoice(AMOUNT_MSAT);
    const hash = toHex(decodeInvoice(fakeSecp256k1, text).paymentHash);
    world.focus = first;
    await world.say(addFor(world, text, { amountMsat: PART_MSAT }));
    await dance(world);
    world.unconfirmForVictim(fundingOf(world, paramsOf(world.channel)));
    await world.pump();
    world.forget();
    world.focus = second;
    await world.say(addFor(world, text, { amountMsat: AMOUNT_MSAT - PART_MSAT }));
    await dance(world);
    expect(world.said).not.toContain('update_fulfill_htlc');
    expect(receivedBy(world.victim, hash)).toBe(0n);
  });
});

describe('a payment in two parts, of which the first channel is closed', () => {
  it('is not claimed while that channel’s funding is out of the chain', async () => {
    const world = await arena('two');
    world.silenced = true;
    const [first = '', second = ''] = keysOf(world);
    const text = world.victim.node.invoice(AMOUNT_MSAT);
    world.focus = first;
    await world.say(addFor(world, text, { amountMsat: PART_MSAT }));
    await dance(world);
    const params = paramsOf(world.channel);
    closeAlone(world.victim, first);
    await world.pump();
    world.unconfirmForVictim(fundingOf(world, params));
    await world.pump();
    world.forget();
    world.focus = second;
    await world.say(addFor(world, text, { amountMsat: AMOUNT_MSAT - PART_MSAT }));
    await dance(world);
    expect(world.said).not.toContain('update_fulfill_htlc');
  });
});

describe('a payment from us', () => {
  // only what is in no commitment has never been sent. Paid again, it is paid twice.
  it('is not given up as never sent because the record of its channel is older than its HTLC', async () => {
    const world = await arena('fundee');
    world.silenced = true;
    const pay = (): string => world.victim.node.pay(world.attacker.node.invoice(5_000_000n));
    pay();
    await world.pump();
    const hash = pay();
    await world.pump();
    const path = `chan/${nameOf(world.channel)}/state`;
    const older = world.victim.disk.durable.get(path) ?? new Uint8Array(0);
    await world.say(revokeAndAck(world));
    await restartWith(world, (records) => void records.set(path, older));
    expect(world.channel.state).toMatchObject({ kind: 'closed', reason: { kind: 'channelBehind' } });
    expect(outcomeOf(world.victim, hash)).toBe('pending');
  });
});

describe('a proven old state', () => {
  // After a proof we never broadcast.
  it('is not broadcast when the funding is found after the proof', async () => {
    const world = await arena('fundee');
    const old = new Map(world.victim.disk.durable);
    await trade(world, 2);
    const params = paramsOf(world.channel);
    world.restartVictimFrom(old);
    world.unconfirmForVictim(fundingOf(world, params));
    await world.reconnect();
    expect(world.channel.state).toMatchObject({ kind: 'closed', reason: { kind: 'stale' } });
    world.victim.broadcasts.length = 0;
    world.confirmForVictim(world.chain.height, fundingOf(world, params));
    await world.pump();
    expect(spendOf(world.victim, params)).toBeUndefined();
  });

  // `stale` is all that keeps our commitment back; without its record nobody knows.
  it('is not broadcast, also on request, where the record of the proof is lost', async () => {
    const world = await arena('fundee');
    const old = new Map(world.victim.disk.durable);
    await trade(world, 2);
    world.restartVictimFrom(old);
    await world.reconnect();
    const entry = world.channel;
    const params = paramsOf(entry);
    expect(entry.state).toMatchObject({ kind: 'closed', reason: { kind: 'stale' } });
    await restartWith(world, (records) => void records.delete(`chan/${nameOf(entry)}/closed`));
    world.victim.broadcasts.length = 0;
    closeAlone(world.victim, entry.key);
    await world.pump();
    expect(spendOf(world.victim, params)).toBeUndefined();
  });
});

describe('a monitor of which one record is lost', () => {
  // it waits for the peer's close, and says so.
  it('is still there after the second restart', async () => {
    const world = await arena('fundee');
    await trade(world, 1);
    const { key } = world.channel;
    const name = nameOf(world.channel);
    await restartWith(world, (records) => void records.delete(`mon/${name}/upd/1`));
    expect(entryOf(world, key)?.state).toMatchObject({ kind: 'closed', reason: { kind: 'monitorBehind' } });
    world.restartVictim();
    await world.pump();
    expect(entryOf(world, key)?.state).toMatchObject({ kind: 'closed', reason: { kind: 'monitorBehind' } });
  });
});

describe('a closed channel', () => {
  async function closed(rounds: number) {
    const world = await arena('fundee');
    await trade(world, rounds);
    const entry = world.channel;
    closeAlone(world.victim, entry.key);
    await world.pump();
    world.mine();
    await world.pump();
    return { world, entry, snap: `mon/${nameOf(entry)}/snap` };
  }

  // what is damaged is found and told, and costs nothing else.
  it.each<[string, (snap: Uint8Array) => Uint8Array | undefined]>([
    ['lost', () => undefined],
    ['cut', (snap) => snap.slice(0, 40)],
  ])(
    'whose monitor is %s does not vanish: its owner is told, and what pays to it is watched',
    async (_name, damage) => {
      const { world, entry, snap } = await closed(1);
      const node = startFrom(world, (records) => {
        const damaged = damage(records.get(snap) ?? new Uint8Array(0));
        if (damaged === undefined) records.delete(snap);
        else records.set(snap, damaged);
      });
      expect(node.manager.channels().map(({ key }) => key)).toContain(entry.key);
    },
  );

  it('whose closing transaction is damaged in its monitor does not keep the wallet from opening', async () => {
    const { world, snap } = await closed(1);
    const raw = spendBytes(world);
    const start = (): unknown =>
      startFrom(world, (records) => {
        const bytes = Uint8Array.from(records.get(snap) ?? []);
        const at = indexOf(bytes, raw);
        // The highest byte of the first amount of an output: more than all bitcoin.
        bytes[at + 4 + 2 + 1 + 41 + 1 + 7] = 0x80;
        records.set(snap, bytes);
      });
    expect(start).not.toThrow();
  });

  // nothing that its monitor has is revoked, or it is not broadcast.
  it('whose monitor is older than its close is not broadcast from there', async () => {
    const world = await arena('fundee');
    const old = new Map(world.victim.disk.durable);
    await trade(world, 14);
    const entry = world.channel;
    const params = paramsOf(entry);
    const snap = `mon/${nameOf(entry)}/snap`;
    closeAlone(world.victim, entry.key);
    await world.pump();
    const right = toHex(transactionId(spendOf(world.victim, params) as Transaction));
    world.victim.broadcasts.length = 0;
    await restartWith(world, (records) => void records.set(snap, old.get(snap) ?? new Uint8Array(0)));
    closeAlone(world.victim, entry.key);
    await world.pump();
    const spend = spendOf(world.victim, params);
    if (spend !== undefined) expect(toHex(transactionId(spend))).toBe(right);
  });

  const spendBytes = (world: Arena): Uint8Array => {
    const spend = world.victim.node.manager.chainMonitor
      .monitors()
      .map(([, monitor]) => monitor.confirmedSpend)
      .find((each) => each !== undefined);
    if (spend === undefined) throw new Error('nothing is confirmed');
    return spend.transaction;
  };

  const indexOf = (bytes: Uint8Array, part: Uint8Array): number => toHex(bytes).lastIndexOf(toHex(part)) / 2;
});

describe('one record of one channel', () => {
  // One sick channel never takes another; what is damaged is found and told.
  it('in whose version a bit has turned does not keep the wallet, and its other channels, from opening', async () => {
    const world = await arena('fundee');
    const path = `mon/${nameOf(world.channel)}/snap`;
    const start = (): unknown =>
      startFrom(world, (records) => {
        const bytes = Uint8Array.from(records.get(path) ?? []);
        bytes[2] = 0x81;
        records.set(path, bytes);
      });
    expect(start).not.toThrow();
  });
});

describe('records of one channel in the place of another’s', () => {
  async function swapped(path: string) {
    const world = await arena('two');
    const [a, b] = world.victim.channelsWith(world.attacker) as [ChannelEntry, ChannelEntry];
    const [inA, inB] = [path.replace('*', nameOf(a)), path.replace('*', nameOf(b))];
    await restartWith(world, (records) => {
      const [ofA, ofB] = [records.get(inA), records.get(inB)];
      records.set(inA, ofB ?? new Uint8Array(0)).set(inB, ofA ?? new Uint8Array(0));
    });
    return { world, keys: [a.key, b.key] };
  }

  it('of the channel: each can still be closed', async () => {
    const { world, keys } = await swapped('chan/*/state');
    await world.reconnect();
    for (const key of keys) await expectExit(world, key);
    expect(world.victim.faults).toEqual([]);
  });

  // What it has is no signature of this channel's: broadcast, it would never confirm, and nobody would ask the peer.
  it('of the monitor: each is closed by its peer, which is asked to', async () => {
    const { world, keys } = await swapped('mon/*/snap');
    for (const key of keys)
      expect(entryOf(world, key)?.state).toMatchObject({ kind: 'closed', reason: { kind: 'monitorBehind' } });
    await world.reconnect();
    world.mine();
    await world.pump();
    for (const key of keys) expect(world.victim.view.monitors.get(key)?.confirmedSpend).toBeDefined();
    expect(world.victim.faults).toEqual([]);
  });
});

describe('an error of ours in one channel', () => {
  // It costs nobody else anything. A block that throws stops the whole wallet (`EngineFailed`).
  it('while its commitment is signed in a block does not take the block, or the other channels, with it', async () => {
    const world = await arena('two');
    const [first, second] = world.victim.channelsWith(world.attacker) as [ChannelEntry, ChannelEntry];
    world.disconnect();
    for (const { key } of [first, second]) closeAlone(world.attacker, key);
    await world.pump();
    world.mine();
    await world.pump();
    const spends = [first, second].map((entry) => {
      const spend = world.attacker.broadcasts.find(({ inputs }) =>
        inputs.some(({ txid }) => txid.join() === paramsOf(entry).fundingTxid.join()),
      );
      return spend as Transaction;
    });
    first.signer.signHolderCommitment = () => {
      throw new TypeError('a mistake of ours');
    };
    world.victim.faults.length = 0;
    expect(entryOf(world, first.key)?.state).toMatchObject({ reason: { kind: 'counterpartyForceClosed' } });
    world.victim.attempt((node) =>
      node.turn(() => {
        for (const spend of spends) node.manager.transactionUnconfirmed(transactionId(spend));
      }),
    );
    await world.pump();
    expect(world.victim.faults.filter((fault) => fault.startsWith('an input threw'))).toEqual([]);
    expect([entryOf(world, first.key)?.frozen, entryOf(world, second.key)?.frozen]).toEqual([
      'a mistake of ours',
      undefined,
    ]);
  });

  // memory never runs ahead of what failed.
  it('takes back what it did to the on-chain wallet', async () => {
    const world = await arena('opener');
    const { node } = world.victim;
    const params = paramsOf(world.channel);
    const funding = fundingOf(world, params);
    world.unconfirmForVictim(funding);
    const conflict: Transaction = { ...funding, outputs: [{ amountSat: 1_000n, script: Uint8Array.of(0x51) }] };
    world.confirmForVictim(world.chain.height, conflict);
    await world.pump();
    node.turn(() => node.wallet.transactionSeen(funding));
    const before = node.wallet.coinsSpentBy(params.fundingTxid).length;
    expect(before).toBeGreaterThan(0);
    node.manager.chainMonitor.archiveChannel = () => {
      throw new TypeError('a mistake of ours');
    };
    world.victim.attempt(({ manager }) => node.turn(() => manager.bestBlockUpdated(world.chain.height + 6)));
    expect(entryOf(world, world.channel.key)?.state.kind).toBe('open');
    expect(node.wallet.coinsSpentBy(params.fundingTxid)).toHaveLength(before);
  });
});

describe('a close by agreement', () => {
  // replacing an agreed close that does not confirm.
  it('whose record is lost is not closed by force on its own', async () => {
    const world = await arena('fundee');
    const { key } = world.channel;
    const name = nameOf(world.channel);
    const params = paramsOf(world.channel);
    world.victim.attempt((node) => node.turn(() => node.manager.closeChannel(key)));
    await world.pump();
    expect(entryOf(world, key)?.state).toMatchObject({ kind: 'closed', reason: { kind: 'cooperative' } });
    world.victim.broadcasts.length = 0;
    await restartWith(world, (records) => void records.delete(`chan/${name}/closed`));
    expect(spendOf(world.victim, params)?.locktime ?? 0).toBe(0);
  });
});
