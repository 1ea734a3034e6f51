import type { ChainMonitor } from '../../worker/engine/monitor/chain-monitor.ts';
import type { MonitorEvent } from '../../worker/engine/monitor/funding-spend.ts';

/** How often everything is told that monitors tell: whoever hears it has to do the same the second time, which is nothing. */
export type MonitorTelling = 'once' | 'twice';

/** Watches what monitors tell in one run of a node. */
export class MonitorTold {
  /** The numbers of events, by channel id. */
  readonly #told = new Map<string, Set<number>>();

  /** Takes the place of what tells in a node's engine. */
  constructor(chainMonitor: ChainMonitor, telling: MonitorTelling) {
    const release = chainMonitor.releasePendingMonitorEvents.bind(chainMonitor);
    chainMonitor.releasePendingMonitorEvents = (channelKey) => {
      const events = release(channelKey);
      for (const event of events) this.#note(event);
      return telling === 'twice' ? [...events, ...events] : events;
    };
  }

  has(channelKey: string, id: number): boolean {
    return this.#told.get(channelKey)?.has(id) === true;
  }

  #note(event: MonitorEvent): void {
    if (event.kind !== 'htlcResolved') return;
    const ids = this.#told.get(event.channelKey) ?? new Set();
    this.#told.set(event.channelKey, ids.add(event.resolved.id));
  }
}
