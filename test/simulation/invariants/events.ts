import { equalBytes } from '../../../worker/engine/primitives/bytes.ts';
import { decodeEvent, type EngineEvent, type EngineEventKind } from '../../../worker/engine/manager/engine-event.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/** What the disk of one side says of the events for its user, over all its restarts. */
export class DurableEvents {
  /** Every event that there ever was, by its number. */
  readonly #ever = new Map<number, { readonly event: EngineEvent; readonly bytes: Uint8Array }>();
  readonly #pending = new Set<number>();
  readonly #acknowledged = new Set<number>();
  readonly #complain: (problem: string) => void;

  constructor(complain: (problem: string) => void) {
    this.#complain = complain;
  }

  /** The user has seen it; that may be forgotten in a crash. */
  acknowledged(id: number): void {
    this.#acknowledged.add(id);
  }

  ever(): readonly EngineEvent[] {
    return [...this.#ever.values()].map(({ event }) => event);
  }

  /** Those that nobody has acknowledged for good, by their numbers. */
  pending(): readonly number[] {
    return [...this.#pending];
  }

  isPending(kind: EngineEventKind, subject: string): boolean {
    const events = this.pending().flatMap((id) => this.#ever.get(id)?.event ?? []);
    return events.some((event) => event.kind === kind && event.subject === subject);
  }

  /** An event is written once, keeps its number, and goes when its user has seen it, or no request is left to be answered. */
  apply(id: number, bytes: Uint8Array | undefined): void {
    const before = this.#ever.get(id);
    if (bytes !== undefined) {
      if (before !== undefined && !equalBytes(before.bytes, bytes)) this.#complain(`event ${id} became another one`);
      if (before !== undefined && !this.#pending.has(id)) this.#complain(`event ${id} is back`);
      this.#ever.set(id, { event: decodeEvent(id, bytes), bytes });
      this.#pending.add(id);
    } else if (this.#pending.delete(id) && !this.#acknowledged.has(id) && before?.event.kind !== 'channelRequested')
      this.#complain(`event ${id} (${before?.event.kind}) is gone, and nobody has seen it`);
  }
}

/** After a start everything is told again that nobody has acknowledged: to the user, and by the monitors. */
export function checkEventsRepeated(world: World, side: Side): void {
  const { view, node } = side;
  const told = new Set(node.manager.pendingEvents().map(({ id }) => id));
  for (const id of view.events.pending())
    if (!told.has(id)) world.complain(side.name, `event ${id} is not told again after a restart`);
}

/** What monitors have to tell they have told, and what was not acknowledged is still there. */
export function checkMonitorEvents(world: World): void {
  for (const side of world.honest)
    for (const [key, { events }] of side.node.manager.chainMonitor.monitors())
      for (const { id } of events)
        if (!side.node.told.has(key, id))
          world.complain(side.name, `the monitor of ${key.slice(0, 8)} does not tell ${id}`);
}
