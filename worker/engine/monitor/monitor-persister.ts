import { toHex } from '../primitives/bytes.ts';
import type { StoreWrites } from '../primitives/store.ts';
import { UndoableMap, type UndoLog } from '../primitives/undo-log.ts';
import { decodeParameters, encodeParameters, storeName } from './channel-records.ts';
import { applyUpdate, type ChannelMonitor } from './channel-monitor.ts';
import type { ChannelMonitorUpdateStatus, Persist, PersistedUpdate } from './chain-monitor.ts';
import { decodeMonitor, encodeMonitor, encodeRevoked, revokedKey } from './monitor-records.ts';
import type { MonitorStep } from './monitor-update.ts';
import { decodeUpdate, encodeUpdate, updateIdOf } from './update-records.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import { readable } from '../wire/stored-record.ts';

/** Updates kept beside a snapshot before they are folded into a new one: bounds both start-up and bytes per payment. */
const UPDATES_PER_SNAPSHOT = 64;

/**
 * `Persist` on the store: a snapshot, and an update a record after it. The updates' records are a ring: one that is in the
 * snapshot is never deleted, a later one takes its place. Everything joins the write of the running turn, so the answer is
 * always `InProgress`; the commit completes it.
 */
export class MonitorPersister implements Persist {
  readonly #writes: () => StoreWrites;
  /** The update id of each monitor's snapshot. */
  readonly #snapshots: UndoableMap<string, number>;

  /** `writes` gives the collection of the running turn, `undo` what takes back a failed one. */
  constructor(writes: () => StoreWrites, undo: () => UndoLog | undefined) {
    this.#writes = writes;
    this.#snapshots = new UndoableMap(undo);
  }

  persistNewChannel(channelKey: string, monitor: ChannelMonitor): ChannelMonitorUpdateStatus {
    this.#snapshot(channelKey, monitor);
    return 'InProgress';
  }

  updatePersistedChannel(channelKey: string, persisted: PersistedUpdate): ChannelMonitorUpdateStatus {
    const { update, before, monitor, revoked } = persisted;
    const writes = this.#writes();
    for (const commitment of revoked)
      writes.set(revokedKey(monitor.params, commitment.number), encodeRevoked(commitment));
    const since = monitor.updateId - (this.#snapshots.get(channelKey) ?? 0);
    if (update.steps.some(isIrreplaceable) || since >= UPDATES_PER_SNAPSHOT) this.#snapshot(channelKey, monitor);
    else writes.set(updateKey(monitor.params, update.updateId), encodeUpdate(update, before));
    return 'InProgress';
  }

  /** Revoked commitments stay where they are: nobody reads them any more, and how many there are only the store knows. */
  archivePersistedChannel(channelKey: string, monitor: ChannelMonitor): void {
    const writes = this.#writes();
    writes.set(`arch/${storeName(monitor.params)}/snap`, encodeMonitor(monitor));
    for (const part of ['snap', 'params']) writes.set(`mon/${storeName(monitor.params)}/${part}`, undefined);
    for (let id = 1; id <= Math.min(monitor.updateId, UPDATES_PER_SNAPSHOT); id++)
      writes.set(updateKey(monitor.params, id), undefined);
    this.#snapshots.delete(channelKey);
  }

  /**
   * Reads a monitor back: its snapshot and the updates after it, up to the first that is lost or damaged. What the chain has told
   * since, it tells again; whether the channel has gone on since, `reconcile` sees.
   */
  load(
    channelKey: string,
    params: ChannelParameters,
    records: ReadonlyMap<string, Uint8Array>,
  ): ChannelMonitor | undefined {
    const snapshot = records.get(`mon/${storeName(params)}/snap`);
    if (snapshot === undefined) return undefined;
    let monitor = decodeMonitor(params, snapshot);
    this.#snapshots.set(channelKey, monitor.updateId);
    for (;;) {
      const before = monitor;
      const stored = records.get(updateKey(params, before.updateId + 1));
      const next = stored && readable(() => nextOf(before, stored));
      if (next === undefined) return before;
      monitor = next;
    }
  }

  /** Every monitor, by its channel's key, from nothing but what is below `mon/`. Throws what `RecordFormat.decode` throws. */
  loadAll(records: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, ChannelMonitor> {
    const found = new Map<string, ChannelMonitor>();
    for (const [path, bytes] of records) {
      if (!/^mon\/[^/]*\/params$/.test(path)) continue;
      const params = decodeParameters(bytes);
      const monitor = this.load(toHex(params.channelId), params, records);
      if (monitor !== undefined) found.set(toHex(params.channelId), monitor);
    }
    return found;
  }

  /**
   * A monitor to be kept in place of a lost or a newer one: its updates follow on whatever is left of that one's, which would
   * otherwise be read as its own. The first of them is a snapshot, for those before it are not all there.
   */
  begin(channelKey: string, monitor: ChannelMonitor, records: ReadonlyMap<string, Uint8Array>): ChannelMonitor {
    const updateId = Math.max(monitor.updateId, this.newestUpdateId(monitor, records));
    this.#snapshots.set(channelKey, updateId - UPDATES_PER_SNAPSHOT);
    return { ...monitor, updateId };
  }

  /**
   * The newest update of which there is a record; beyond what `load` takes where one before it is lost. One that is damaged may
   * be the next.
   */
  newestUpdateId(
    { params, updateId }: Pick<ChannelMonitor, 'params' | 'updateId'>,
    records: ReadonlyMap<string, Uint8Array>,
  ): number {
    const ids = Array.from({ length: UPDATES_PER_SNAPSHOT }, (_, place) => {
      const stored = records.get(updateKey(params, place));
      return stored === undefined ? 0 : (readable(() => updateIdOf(stored)) ?? updateId + 1);
    });
    return Math.max(...ids);
  }

  /** With the parameters: what is below `mon/`, and the seed, is all that a channel's money needs. */
  #snapshot(channelKey: string, monitor: ChannelMonitor): void {
    const name = storeName(monitor.params);
    this.#writes().set(`mon/${name}/params`, encodeParameters(monitor.params));
    this.#writes().set(`mon/${name}/snap`, encodeMonitor(monitor));
    this.#snapshots.set(channelKey, monitor.updateId);
  }
}

/**
 * What is not left to a single record, whose loss nobody would notice: the transaction that goes out with a close is in no update,
 * and that all of it is a copy, which may be revoked, neither peer nor chain says again. The number of a commitment shows the loss
 * of what came with it, and the channel and the invoices have each preimage too (`lostPreimages`).
 */
const isIrreplaceable = ({ kind }: MonitorStep): boolean => kind === 'channelForceClosed' || kind === 'copied';

/** `undefined` where the record is not that of the next update. Throws where it is damaged. */
function nextOf(monitor: ChannelMonitor, stored: Uint8Array): ChannelMonitor | undefined {
  if (updateIdOf(stored) !== monitor.updateId + 1) return undefined;
  return applyUpdate(monitor, decodeUpdate(stored, monitor)).monitor;
}

const updateKey = (params: ChannelParameters, updateId: number): string =>
  `mon/${storeName(params)}/upd/${updateId % UPDATES_PER_SNAPSHOT}`;
