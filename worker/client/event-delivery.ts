import type { ChannelManager } from '../engine/manager/channel-manager.ts';
import type { EngineEvent } from '../engine/manager/engine-event.ts';

/** Tells events in the order of their ids: one that could not be told is told again, before those after it. */
export class EventDelivery {
  readonly #manager: Pick<ChannelManager, 'pendingEvents'>;
  readonly #tell: (event: EngineEvent) => void;
  /** The newest event whose commit has completed: one that is only noted may still be lost, and is told to nobody. */
  #durableId: number;
  #toldId: number;

  /** What is pending in a manager that was loaded is told to whoever asks for it. */
  constructor(manager: Pick<ChannelManager, 'pendingEvents'>, tell: (event: EngineEvent) => void) {
    this.#manager = manager;
    this.#tell = tell;
    this.#durableId = manager.pendingEvents().at(-1)?.id ?? 0;
    this.#toldId = this.#durableId;
  }

  /** The commit of an event has completed. */
  durable(id: number): void {
    this.#durableId = id;
  }

  /** Tells what is durable and was not told. Throws what telling it throws. */
  deliver(): void {
    if (this.#toldId === this.#durableId) return;
    for (const event of this.#upTo(this.#durableId)) {
      if (event.id <= this.#toldId) continue;
      this.#tell(event);
      this.#toldId = event.id;
    }
  }

  /** Told and not acknowledged, oldest first. */
  told(): readonly EngineEvent[] {
    return this.#upTo(this.#toldId);
  }

  #upTo(newest: number): readonly EngineEvent[] {
    return this.#manager.pendingEvents().filter(({ id }) => id <= newest);
  }
}
