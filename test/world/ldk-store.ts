import { freeMonitor, guarded, hex, ldk } from './ldk.ts';

/** All that an LDK node has on its disk. */
export interface LdkBytes {
  readonly manager: Uint8Array | undefined;
  readonly monitors: ReadonlyMap<string, Uint8Array>;
}

export const NOTHING_STORED: LdkBytes = { manager: undefined, monitors: new Map() };

/** Keeps the newest bytes of a node's ChannelManager and ChannelMonitors. */
export class LdkStore {
  readonly persist: ldk.Persist;
  #manager: Uint8Array | undefined;
  readonly #monitors: Map<string, Uint8Array>;

  constructor(stored: LdkBytes, onError: (error: unknown) => void) {
    this.#manager = stored.manager;
    this.#monitors = new Map(stored.monitors);
    const save = (outpoint: ldk.OutPoint, monitor: ldk.ChannelMonitor): ldk.ChannelMonitorUpdateStatus =>
      guarded(
        () => ldk.ChannelMonitorUpdateStatus.LDKChannelMonitorUpdateStatus_InProgress,
        onError,
        () => {
          this.#monitors.set(keyOf(outpoint), monitor.write());
          freeMonitor(monitor);
          return ldk.ChannelMonitorUpdateStatus.LDKChannelMonitorUpdateStatus_Completed;
        },
      );
    this.persist = ldk.Persist.new_impl({
      persist_new_channel: save,
      update_persisted_channel: (outpoint, _update, monitor) => save(outpoint, monitor),
      archive_persisted_channel: (outpoint) =>
        guarded(
          () => undefined,
          onError,
          () => void this.#monitors.delete(keyOf(outpoint)),
        ),
    });
  }

  saveManager(bytes: Uint8Array): void {
    this.#manager = bytes;
  }

  /** Copies: what would come back from a disk. */
  read(): LdkBytes {
    const monitors = new Map([...this.#monitors].map(([key, bytes]) => [key, bytes.slice()]));
    return { manager: this.#manager?.slice(), monitors };
  }
}

function keyOf(outpoint: ldk.OutPoint): string {
  return `${hex(outpoint.get_txid())}:${outpoint.get_index()}`;
}
