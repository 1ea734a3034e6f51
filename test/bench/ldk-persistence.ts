import { freeMonitor, guarded, isPresent, ldk } from '../world/ldk-bindings.ts';
import type { MonitorWrite } from './ldk-store.ts';

/** A write that waits for a commit, with what LDK has to be told once it is durable. */
export interface WaitingWrite {
  readonly write: MonitorWrite;
  readonly acknowledge: ldk.OutPoint | undefined;
}

const UPDATES_PER_WHOLE = 100;

/**
 * Takes LDK's monitor writes: what has changed, and all of a monitor after every 100 of those. LDK calls with its locks
 * held, so writes only wait here; whoever takes them commits them and acknowledges.
 */
export class LdkPersistence {
  readonly port: ldk.Persist;
  problem: unknown;
  #waiting: WaitingWrite[] = [];
  readonly #updatesSinceWhole = new Map<string, number>();

  constructor() {
    const inProgress = (): ldk.ChannelMonitorUpdateStatus =>
      ldk.ChannelMonitorUpdateStatus.LDKChannelMonitorUpdateStatus_InProgress;
    const save = (work: () => void): ldk.ChannelMonitorUpdateStatus =>
      guarded(
        inProgress,
        (error) => (this.problem = error),
        () => {
          work();
          return inProgress();
        },
      );
    this.port = ldk.Persist.new_impl({
      persist_new_channel: (outpoint, monitor) => save(() => this.#persist(outpoint, null, monitor, true)),
      update_persisted_channel: (outpoint, update, monitor) =>
        save(() => this.#persist(outpoint, update, monitor, isPresent(update))),
      archive_persisted_channel: () => undefined,
    });
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  take(): readonly WaitingWrite[] {
    return this.#waiting.splice(0);
  }

  #persist(
    outpoint: ldk.OutPoint,
    update: ldk.ChannelMonitorUpdate | null,
    monitor: ldk.ChannelMonitor,
    wantsAnswer: boolean,
  ): void {
    const key = outpoint.to_str();
    const since = this.#updatesSinceWhole.get(key);
    const acknowledge = wantsAnswer
      ? ldk.OutPoint.constructor_new(outpoint.get_txid(), outpoint.get_index())
      : undefined;
    if (isPresent(update) && since !== undefined && since < UPDATES_PER_WHOLE) {
      this.#updatesSinceWhole.set(key, since + 1);
      const write = { kind: 'update', key, id: update.get_update_id(), bytes: copied(update.write()) } as const;
      this.#waiting.push({ write, acknowledge });
    } else {
      this.#updatesSinceWhole.set(key, 0);
      const id = monitor.get_latest_update_id();
      this.#waiting.push({ write: { kind: 'whole', key, id, bytes: copied(monitor.write()) }, acknowledge });
    }
    freeMonitor(monitor);
  }
}

/** The bindings give a copy of wasm memory, but do not say so in its type. */
function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
