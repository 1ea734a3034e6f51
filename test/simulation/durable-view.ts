import { isDeepStrictEqual } from 'node:util';
import { equalBytes, fromHex, toHex } from '../../worker/engine/primitives/bytes.ts';
import type { StoreWrites } from '../../worker/engine/primitives/store.ts';
import { decodeOpenChannel, encodeOpenChannel } from '../../worker/engine/channel/channel-records.ts';
import type { OpenChannel } from '../../worker/engine/channel/channel-state.ts';
import { latestCounterpartyCommit } from '../../worker/engine/channel/commitments.ts';
import { applyUpdate, type ChannelMonitor } from '../../worker/engine/monitor/channel-monitor.ts';
import { decodeParameters, storeName } from '../../worker/engine/monitor/channel-records.ts';
import { decodeMonitor, encodeMonitor } from '../../worker/engine/monitor/monitor-records.ts';
import { decodeUpdate, encodeUpdate, updateIdOf } from '../../worker/engine/monitor/update-records.ts';
import { decodeInbound, type InboundPayment } from '../../worker/engine/payments/inbound-payment.ts';
import { decodePayment, type OutboundPayment } from '../../worker/engine/payments/outbound-payment.ts';
import type { ChannelParameters } from '../../worker/engine/transactions/channel-parameters.ts';
import { checkPreimageKept } from './invariants/preimages.ts';
import { checkRevokedRecords } from './invariants/revoked-records.ts';

/**
 * What is durable on one side, read along with every write as a restart would read it. Tells of each write that no
 * honest engine makes.
 */
export class DurableView {
  readonly monitors = new Map<string, ChannelMonitor>();
  /** With each commitment that the side has had, oldest first, by channel id. */
  readonly history = new Map<string, readonly ChannelMonitor[]>();
  readonly channels = new Map<string, OpenChannel>();
  readonly closed = new Set<string>();
  readonly outbound = new Map<string, OutboundPayment>();
  readonly inbound = new Map<string, InboundPayment>();
  readonly records = new Map<string, Uint8Array>();
  /** Channels that were given up, by channel id: nobody watches them any more. */
  readonly archived = new Map<string, ChannelParameters>();
  /** By the name that the store has for a channel; the maps above are by channel id. */
  readonly #params = new Map<string, ChannelParameters>();
  readonly #keys = new Map<string, string>();
  /** The update ids of the snapshots, by channel id. */
  readonly #snapshots = new Map<string, number>();
  readonly #complain: (problem: string) => void;

  constructor(complain: (problem: string) => void) {
    this.#complain = complain;
  }

  apply(writes: StoreWrites): void {
    for (const [key, value] of writes) {
      if (value === undefined) this.records.delete(key);
      else this.records.set(key, value);
    }
    const paths = [...writes]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, value, parts: key.split('/') }));
    for (const { parts, value } of paths) {
      if (parts[2] !== 'params' || value === undefined) continue;
      const params = decodeParameters(value);
      this.#keys.set(parts[1] ?? '', toHex(params.channelId));
      this.#params.set(toHex(params.channelId), params);
    }
    // The store names a channel by its keys' index; everybody else by its id.
    for (const { parts } of paths)
      if (parts[0] === 'chan' || parts[0] === 'mon') parts[1] = this.#keys.get(parts[1] ?? '') ?? '';
    for (const { parts, value } of paths)
      if (parts[0] === 'mon' && parts[2] === 'snap') this.#snapshot(parts[1] ?? '', value);
    const updates = paths
      .filter(({ parts }) => parts[0] === 'mon' && parts[2] === 'upd')
      .map(({ parts, value }) => ({
        name: parts[1] ?? '',
        value,
        updateId: value === undefined ? 0 : updateIdOf(value),
      }))
      .sort((a, b) => a.updateId - b.updateId);
    for (const { name, value, updateId } of updates) this.#update(name, updateId, value);
    for (const { key, parts, value } of paths) {
      const [room, name = '', rest] = parts;
      if (room === 'chan' && rest === 'state') this.#channel(name, value);
      if (room === 'chan' && rest === 'closed') this.closed.add(this.#keyOf(name));
      if (room === 'pay' && rest === undefined) this.#outbound(name, value);
      if (room === 'inv' && rest === undefined) this.#inbound(name, value);
      if ((room === 'pay' || room === 'inv') && value === undefined) this.#complain(`${key} is deleted`);
    }
  }

  #keyOf(name: string): string {
    return toHex(this.#params.get(name)?.channelId ?? new Uint8Array(0));
  }

  #snapshot(name: string, value: Uint8Array | undefined): void {
    const params = this.#params.get(name);
    const key = this.#keyOf(name);
    if (params === undefined) return this.#complain('a monitor has no channel');
    if (value === undefined) return this.#archive(key, params);
    const monitor = decodeMonitor(params, value);
    const before = this.monitors.get(key);
    if (before !== undefined && monitor.updateId < before.updateId) this.#complain('a monitor went back');
    if (!equalBytes(encodeMonitor(monitor), value)) this.#complain('a monitor is not read as it was written');
    if (before !== undefined) checkRevokedRecords(this.records, before, monitor, this.#complain);
    this.#monitor(key, monitor);
    this.#snapshots.set(key, monitor.updateId);
  }

  /** Only of a channel in which nothing ever happened, or that is closed with nothing left to do, and never without a copy. */
  #archive(key: string, params: ChannelParameters): void {
    const monitor = this.monitors.get(key);
    const wasUsed = monitor?.holderCommitment.number !== 0 || monitor.counterpartyCommitments.at(-1)?.number !== 0;
    const isOver = monitor?.confirmedSpend !== undefined && monitor.events.length + monitor.packages.length === 0;
    if ((wasUsed && !isOver) || !this.records.has(`arch/${storeName(params)}/snap`))
      this.#complain('a monitor is gone');
    this.monitors.delete(key);
    this.archived.set(key, params);
  }

  #update(name: string, updateId: number, value: Uint8Array | undefined): void {
    const key = this.#keyOf(name);
    const monitor = this.monitors.get(key);
    if (value === undefined && this.archived.has(key)) return;
    if (monitor === undefined || value === undefined) return this.#complain('an update is for no monitor, or deleted');
    if (updateId <= monitor.updateId) return;
    if (updateId !== monitor.updateId + 1) return this.#complain(`update ${updateId} follows ${monitor.updateId}`);
    if (updateId - (this.#snapshots.get(key) ?? 0) >= 64)
      this.#complain('an update took the place of one that is needed');
    const update = decodeUpdate(value, monitor);
    if (!equalBytes(encodeUpdate(update, monitor), value)) this.#complain('an update is not read as it was written');
    const after = applyUpdate(monitor, update).monitor;
    checkRevokedRecords(this.records, monitor, after, this.#complain);
    this.#monitor(key, after);
  }

  #monitor(key: string, monitor: ChannelMonitor): void {
    this.monitors.set(key, monitor);
    const former = this.history.get(key) ?? [];
    if (former.at(-1)?.holderCommitment.number !== monitor.holderCommitment.number)
      this.history.set(key, [...former, monitor]);
  }

  #channel(name: string, value: Uint8Array | undefined): void {
    const params = this.#params.get(name);
    const key = this.#keyOf(name);
    const monitor = this.monitors.get(key);
    if (value === undefined) return void this.channels.delete(key);
    if (params === undefined || monitor === undefined) return this.#complain('a channel is stored without its monitor');
    const fundingTransaction = this.records.get(`chan/${storeName(params)}/tx`) ?? new Uint8Array(0);
    const parts = { params, onionOf: () => new Uint8Array(1366), fundingTransaction };
    const { channel, signer } = decodeOpenChannel(value, parts);
    if (!equalBytes(encodeOpenChannel(channel, signer), value))
      this.#complain('a channel is not read as it was written');
    this.channels.set(key, channel);
    const { holderCommit } = channel.commitments;
    const signed = latestCounterpartyCommit(channel.commitments);
    const watched = monitor.counterpartyCommitments.at(-1);
    if (holderCommit.number !== monitor.holderCommitment.number || signed.number !== watched?.number)
      this.#complain('a channel and its monitor disagree on the commitments');
    else if (
      !sameBalances(holderCommit.spec, monitor.holderCommitment.spec) ||
      !sameBalances(signed.spec, watched.spec)
    )
      this.#complain('a channel and its monitor disagree on the balances');
  }

  #outbound(hash: string, value: Uint8Array | undefined): void {
    if (value === undefined) return;
    const payment = decodePayment(fromHex(hash), '', value);
    const before = this.outbound.get(hash)?.state;
    this.outbound.set(hash, payment);
    if (before?.kind === 'succeeded' && !isDeepStrictEqual(before, payment.state))
      this.#complain('a payment that had succeeded changed');
    if (payment.state.kind === 'failed') checkPreimageKept(this.monitors, hash, this.#complain);
    if (before?.kind === 'failed' && payment.state.kind !== 'failed') this.#complain('a failed payment lives again');
  }

  #inbound(hash: string, value: Uint8Array | undefined): void {
    const text = this.records.get(`inv/${hash}/text`);
    if (value === undefined || text === undefined) return this.#complain('an invoice is gone');
    const payment = decodeInbound(fromHex(hash), value, text);
    const before = this.inbound.get(hash)?.received;
    this.inbound.set(hash, payment);
    if (before !== undefined && !isDeepStrictEqual(before, payment.received))
      this.#complain('an invoice was paid twice');
  }
}

const sameBalances = (a: OpenChannel['commitments']['holderCommit']['spec'], b: typeof a): boolean =>
  a.toHolderMsat === b.toHolderMsat &&
  a.toCounterpartyMsat === b.toCounterpartyMsat &&
  a.htlcs.length === b.htlcs.length;
