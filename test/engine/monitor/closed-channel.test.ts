import { describe, expect, it } from 'vitest';
import { ChainMonitor } from '../../../worker/engine/monitor/chain-monitor.ts';
import type { ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import type { HtlcResolution } from '../../../worker/engine/monitor/htlc-resolution.ts';
import { encodeRevoked } from '../../../worker/engine/monitor/monitor-records.ts';
import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import {
  decodeTransaction,
  encodeTransaction,
  transactionId,
  type Transaction,
} from '../../../worker/engine/transactions/transaction.ts';
import { Coins } from './claims/coins.ts';
import {
  CLOSED_AT,
  closedBy,
  htlcOf,
  keysManager,
  openMonitor,
  preimageOf,
  previousCommitment,
  signer,
  spending,
} from './claims/closed.ts';

const KEY = 'channel';

/** A chain monitor with a monitor that was read from the store, and what it does. */
class Watching {
  readonly registered: string[] = [];
  readonly unregistered: string[] = [];
  readonly archived: ChannelMonitor[] = [];
  readonly coins = new Coins();
  readonly chain: ChainMonitor;

  constructor(monitor: ChannelMonitor) {
    this.chain = new ChainMonitor(
      {
        persistNewChannel: () => 'InProgress',
        updatePersistedChannel: () => 'InProgress',
        archivePersistedChannel: (_key, each) => void this.archived.push(each),
      },
      {
        registerTx: () => undefined,
        registerOutput: ({ txid, vout }) => void this.registered.push(`${toHex(txid)} ${vout}`),
        unregisterOutput: ({ txid, vout }) => void this.unregistered.push(`${toHex(txid)} ${vout}`),
      },
      { secp, signer: () => signer, coins: this.coins, destinationScript: () => keysManager.destinationScript() },
      () => undefined,
    );
    this.chain.loadMonitor(KEY, monitor);
  }

  get monitor(): ChannelMonitor {
    const monitor = this.chain.monitor(KEY);
    if (monitor === undefined) throw new Error('the channel is watched');
    return monitor;
  }

  /** Gives the kinds of what it tells. */
  confirm(height: number, ...transactions: readonly Transaction[]): readonly string[] {
    this.chain.transactionsConfirmed(
      KEY,
      height,
      transactions.map((transaction, index) => ({ index, transaction })),
    );
    return this.tells();
  }

  tells(): readonly string[] {
    return this.chain.releasePendingMonitorEvents(KEY).map(({ kind }) => kind);
  }
}

const outputOf = ({ commitment }: ReturnType<typeof closedBy>, id: number): number =>
  commitment.htlcs.find(({ htlc }) => htlc.id === BigInt(id))?.outputIndex ?? -1;

describe('a close', () => {
  const { tx } = closedBy('counterparty').commitment;

  it('is told once, also where it is heard of again, and again at another height', () => {
    const watching = new Watching(openMonitor());
    expect(watching.confirm(CLOSED_AT, tx)).toEqual(['fundingSpent']);
    const { updateId } = watching.monitor;
    expect(watching.confirm(CLOSED_AT, tx)).toEqual([]);
    expect(watching.monitor.updateId).toBe(updateId);
    expect(watching.confirm(CLOSED_AT + 1, tx)).toEqual(['fundingSpent']);
    expect(watching.monitor.confirmedSpend?.height).toBe(CLOSED_AT + 1);
  });

  it('may be by our commitment before the newest', () => {
    const watching = new Watching(openMonitor());
    watching.confirm(CLOSED_AT, previousCommitment());
    expect(watching.monitor.confirmedSpend?.spend.kind).toBe('holderCommitment');
    expect(watching.chain.claims(KEY).map(({ kind, amountSat }) => [kind, amountSat > 690_000n])).toEqual([
      ['delayed', true],
    ]);
  });

  it('and what spends it, leaves with a reorganisation', () => {
    const watching = new Watching(openMonitor());
    watching.confirm(CLOSED_AT, tx);
    const spend = spending(tx, [0]);
    watching.confirm(CLOSED_AT + 1, spend);
    watching.chain.transactionUnconfirmed(KEY, new Uint8Array(32));
    expect(watching.monitor.outputSpends).toHaveLength(1);
    watching.chain.transactionUnconfirmed(KEY, transactionId(spend));
    expect([watching.monitor.outputSpends.length, watching.tells()]).toEqual([0, []]);
    watching.chain.transactionUnconfirmed(KEY, transactionId(tx));
    expect([watching.monitor.confirmedSpend, watching.tells()]).toEqual([undefined, ['fundingSpendUnconfirmed']]);
  });

  it('is looked for after a restart', () => {
    const { fundingTxid, fundingOutputIndex } = openMonitor().params;
    expect(new Watching(openMonitor()).registered).toEqual([`${toHex(fundingTxid)} ${fundingOutputIndex}`]);
  });

  it('has each of its outputs watched, after a restart too', () => {
    const txid = toHex(transactionId(tx));
    const outputs = tx.outputs.map((_, vout) => `${txid} ${vout}`);
    const watching = new Watching(openMonitor());
    watching.registered.length = 0;
    watching.confirm(CLOSED_AT, tx);
    expect(new Set(watching.registered)).toEqual(new Set(outputs));
    expect(new Watching(closedBy('counterparty').monitor).registered).toEqual(expect.arrayContaining(outputs));
  });
});

describe('what spends an output of a close', () => {
  const closed = closedBy('counterparty');
  const { tx } = closed.commitment;

  it('is kept once, and may show a preimage', () => {
    const watching = new Watching(closed.monitor);
    const taken = spending(tx, [outputOf(closed, 1)], [new Uint8Array(71), preimageOf(1)]);
    expect(watching.confirm(CLOSED_AT + 1, taken, spending(spending(tx, []), [0]))).toEqual(['htlcResolved']);
    expect(watching.monitor.events).toMatchObject([
      { id: 0, htlc: { id: 1n }, resolution: { kind: 'fulfilled', preimage: preimageOf(1) } },
    ]);
    expect(watching.monitor.outputSpends.map(({ txid }) => txid)).toEqual([transactionId(taken)]);
    const { updateId } = watching.monitor;
    watching.confirm(CLOSED_AT + 1, taken);
    expect(watching.monitor.updateId).toBe(updateId);
    watching.confirm(CLOSED_AT + 2, taken);
    expect(watching.monitor.outputSpends.map(({ height }) => height)).toEqual([CLOSED_AT + 2]);
  });

  it('of an output that is ours after it is kept too', () => {
    const ours = closedBy('revoked');
    const watching = new Watching(ours.monitor);
    const { toOwnerIndex } = ours.commitment;
    const script = ours.commitment.tx.outputs[toOwnerIndex ?? 0]?.script ?? new Uint8Array(0);
    const taken = { ...spending(ours.commitment.tx, [outputOf(ours, 3)]), outputs: [{ amountSat: 29_000n, script }] };
    watching.confirm(CLOSED_AT + 1, taken);
    expect(watching.registered).toContain(`${toHex(transactionId(taken))} 0`);
    const penalty = spending(taken, [0]);
    watching.confirm(CLOSED_AT + 2, penalty, spending(penalty, [0]));
    expect(watching.monitor.outputSpends.map(({ height }) => height)).toEqual([CLOSED_AT + 1, CLOSED_AT + 2]);
  });
});

it('an HTLC can be claimed out of the commitments of a channel that is watched', () => {
  const { chain } = new Watching(openMonitor());
  const isClaimable = (key: string, id: bigint): boolean =>
    chain.isClaimable(key, id, { height: CLOSED_AT, feeratePerKw: 1_000 });
  expect([isClaimable(KEY, 2n), isClaimable(KEY, 9n), isClaimable('another', 2n)]).toEqual([true, false, false]);
});

describe('events', () => {
  it('are told once in a run, and again after a restart until they are acknowledged', () => {
    const watching = new Watching(closedBy('counterparty').monitor);
    const decide = (id: number): void =>
      void watching.chain.updateChannel(KEY, [
        { kind: 'htlcResolved', htlc: htlcOf(id, 'outbound', 1_000n, 500), resolution: { kind: 'timedOut' } },
      ]);
    decide(1);
    expect([watching.tells(), watching.tells()]).toEqual([['htlcResolved'], []]);
    decide(4);
    expect(watching.tells()).toEqual(['htlcResolved']);
    expect(new Watching(watching.monitor).tells()).toEqual(['htlcResolved', 'htlcResolved']);
  });

  it('are acknowledged in any order, with the next update or the next block', () => {
    const watching = new Watching(closedBy('counterparty').monitor);
    const ids = (): readonly number[] => watching.monitor.events.map(({ id }) => id);
    for (const id of [1, 4, 5])
      watching.chain.updateChannel(KEY, [
        { kind: 'htlcResolved', htlc: htlcOf(id, 'outbound', 1_000n, 500), resolution: { kind: 'timedOut' } },
      ]);
    const { updateId } = watching.monitor;
    for (const id of [2, 0, 0, 9]) watching.chain.ackMonitorEvent(KEY, id);
    expect([ids(), watching.monitor.updateId]).toEqual([[0, 1, 2], updateId]);
    watching.chain.updateChannel(KEY, [{ kind: 'copied' }]);
    expect([ids(), watching.monitor.updateId]).toEqual([[1], updateId + 1]);
    watching.chain.ackMonitorEvent(KEY, 1);
    watching.chain.bestBlockUpdated(KEY, CLOSED_AT);
    expect([ids(), watching.monitor.updateId]).toEqual([[], updateId + 2]);
    watching.chain.ackMonitorEvent(KEY, 1);
    watching.chain.bestBlockUpdated(KEY, CLOSED_AT + 1);
    expect(watching.monitor.updateId).toBe(updateId + 2);
  });

  it('of an HTLC are told once, and once more where it was paid after it had failed', () => {
    const watching = new Watching(closedBy('counterparty').monitor);
    const resolve = (resolution: HtlcResolution): readonly string[] => {
      watching.chain.updateChannel(KEY, [
        { kind: 'htlcResolved', htlc: htlcOf(1, 'outbound', 1_000n, 500), resolution },
      ]);
      return watching.tells();
    };
    const fulfilled = { kind: 'fulfilled', preimage: preimageOf(1) } as const;
    const failed = {
      kind: 'failed',
      removal: { kind: 'fail', htlcId: 1n, reason: new Uint8Array(292) },
    } as const;
    const told = [failed, { kind: 'timedOut' } as const, fulfilled, failed, fulfilled].map(resolve);
    expect(told).toEqual([['htlcResolved'], [], ['htlcResolved'], [], []]);
    expect(watching.monitor.decidedHtlcs).toEqual(new Map([[1n, 'fulfilled']]));
  });

  it('are forgotten once no commitment has their HTLC', () => {
    const watching = new Watching(closedBy('counterparty').monitor);
    watching.chain.updateChannel(KEY, [
      { kind: 'htlcResolved', htlc: htlcOf(77, 'outbound', 1_000n, 500), resolution: { kind: 'timedOut' } },
    ]);
    expect([watching.tells(), watching.monitor.decidedHtlcs.size]).toEqual([['htlcResolved'], 0]);
  });
});

describe('the record of a revoked commitment', () => {
  const { monitor } = closedBy('revoked');
  const unread = { ...monitor, revoked: undefined };
  const RECORD = 'mon/3/old/000000000001';

  it('is missed until it is read', () => {
    expect(new Watching(openMonitor()).chain.missingRevoked(KEY)).toBeUndefined();
    expect(new Watching(monitor).chain.missingRevoked(KEY)).toBeUndefined();
    expect(new Watching(unread).chain.missingRevoked(KEY)).toEqual({ recordKey: RECORD });
  });

  it('says what was in it, or what may have been is taken for it', () => {
    const read = (key: string, record: Uint8Array | undefined): ChannelMonitor['revoked'] => {
      const watching = new Watching(unread);
      watching.chain.revokedRead(KEY, key, record);
      return watching.monitor.revoked;
    };
    const said = { number: 1, spec: { ...monitor.holderCommitment.spec, htlcs: [htlcOf(8, 'outbound', 5_000n, 300)] } };
    expect(read(RECORD, encodeRevoked(said))?.spec.htlcs.map(({ id }) => id)).toEqual([8n]);
    expect(read('mon/3/old/000000000002', encodeRevoked(said))).toBeUndefined();
    const guesses = [undefined, new Uint8Array(3), encodeRevoked({ ...said, number: 2 })];
    for (const record of guesses)
      expect(new Set(read(RECORD, record)?.spec.htlcs.map(({ id }) => id))).toEqual(new Set([1n, 2n, 3n, 4n]));
  });
});

describe('a channel that is archived', () => {
  it('is not watched any more, and its coins are free', () => {
    const closed = closedBy('counterparty');
    const child = { tx: spending(closed.commitment.tx, [0]), feeratePerKw: 1_000, height: 400, since: 400 };
    const watching = new Watching({ ...closed.monitor, anchorChild: child });
    watching.chain.archiveChannel(KEY);
    const { fundingTxid, fundingOutputIndex } = closed.monitor.params;
    expect(new Set(watching.unregistered)).toEqual(
      new Set([
        `${toHex(fundingTxid)} ${fundingOutputIndex}`,
        ...closed.commitment.tx.outputs.map((_, vout) => `${toHex(transactionId(closed.commitment.tx))} ${vout}`),
      ]),
    );
    expect(watching.coins.told).toEqual([`dropped ${watching.coins.nameOf(child)}`]);
    expect(watching.archived).toHaveLength(1);
    expect([watching.chain.monitor(KEY), watching.chain.claims(KEY), watching.chain.monitors()]).toEqual([
      undefined,
      [],
      [],
    ]);
  });
});

describe('what leaves', () => {
  const conditions = { height: CLOSED_AT, feeratePerKw: 4_000 };

  it('before a close is our commitment with its child, once that was decided', () => {
    const { tx } = closedBy('holder').commitment;
    const leaving = (over: Partial<ChannelMonitor>): readonly Uint8Array[] | undefined =>
      new Watching({ ...openMonitor(), ...over }).chain.makeHolderBroadcast(KEY, conditions);
    const broadcastTransaction = encodeTransaction(tx);
    expect(leaving({})).toBeUndefined();
    expect(leaving({ broadcastTransaction, closed: 'never' })).toBeUndefined();
    expect(leaving({ ...closedBy('holder').monitor, broadcastTransaction, closed: 'broadcast' })).toBeUndefined();
    const [parent, child] = leaving({ broadcastTransaction, closed: 'broadcast' }) ?? [];
    expect(parent).toEqual(broadcastTransaction);
    expect(child && decodeTransaction(child).inputs[0]?.txid).toEqual(transactionId(tx));
  });

  it('keeps its child, whose coins come back once it is awaited no more', () => {
    const broadcastTransaction = encodeTransaction(closedBy('holder').commitment.tx);
    const watching = new Watching({ ...openMonitor(), broadcastTransaction, closed: 'broadcast' });
    watching.chain.makeHolderBroadcast(KEY, conditions);
    const { anchorChild, updateId } = watching.monitor;
    watching.chain.makeHolderBroadcast(KEY, conditions);
    watching.chain.releaseChild(KEY, CLOSED_AT);
    expect(watching.monitor).toMatchObject({ anchorChild, updateId });
    watching.coins.told.length = 0;
    watching.confirm(CLOSED_AT, closedBy('counterparty').commitment.tx);
    watching.chain.releaseChild(KEY, CLOSED_AT);
    expect(watching.coins.told).toEqual([`dropped ${watching.coins.nameOf(anchorChild)}`]);
    expect(watching.monitor.anchorChild).toBeUndefined();
  });

  it('after it are claims that the next block may hold', () => {
    const closed = closedBy('counterparty');
    const watching = new Watching(closed.monitor);
    const left = (height: number): readonly number[] =>
      watching.chain
        .makeClaims(KEY, { ...conditions, height })
        .map((raw) => decodeTransaction(raw).inputs.map(({ vout }) => vout))
        .flat()
        .toSorted((a, b) => a - b);
    const now = [closed.commitment.toOtherIndex ?? -1, outputOf(closed, 2)].toSorted((a, b) => a - b);
    expect(left(CLOSED_AT)).toEqual(now);
    const { updateId, packages } = watching.monitor;
    expect(packages).toHaveLength(2);
    expect(left(CLOSED_AT)).toEqual(now);
    expect(watching.monitor.updateId).toBe(updateId);
    expect(left(500)).toEqual([...now, outputOf(closed, 1)].toSorted((a, b) => a - b));
    expect(new Watching(openMonitor()).chain.makeClaims(KEY, conditions)).toEqual([]);
  });
});
