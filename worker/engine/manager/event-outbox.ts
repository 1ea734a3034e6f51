import { readCount, recordsBelow, sortable, writeCount, type StoredRecords } from '../primitives/store.ts';
import { UndoableMap, type UndoLog } from '../primitives/undo-log.ts';
import { readable } from '../wire/stored-record.ts';
import { decodeEvent, encodeEvent, type EngineEvent, type EngineEventKind } from './engine-event.ts';
import type { Turn } from './turn.ts';

const NEXT_ID_KEY = 'meta/nextEvent';

/** Events from the write of what caused them until the user has acknowledged them. */
export class EventOutbox {
  readonly #turn: () => Turn;
  readonly #events: UndoableMap<number, EngineEvent>;
  #nextId = 1;

  constructor(turn: () => Turn, undo: () => UndoLog | undefined) {
    this.#turn = turn;
    this.#events = new UndoableMap(undo);
  }

  load(records: StoredRecords, log: (line: string) => void): void {
    const nextId = records.get(NEXT_ID_KEY);
    if (nextId !== undefined) this.#nextId = readCount(nextId);
    for (const [id, bytes] of recordsBelow(records, 'evt/')) {
      this.#nextId = Math.max(this.#nextId, Number(id) + 1);
      const event = readable(() => decodeEvent(Number(id), bytes));
      if (event === undefined) log(`the record of event ${id} is damaged`);
      else this.#events.set(event.id, event);
    }
  }

  /** Stores an event with the running turn, and lets it leave after the turn's commit. */
  note(kind: EngineEventKind, subject: string, amountMsat: bigint, message: string): void {
    const turn = this.#turn();
    const event: EngineEvent = { id: this.#nextId++, kind, subject, amountMsat, message, at: turn.now };
    this.#events.set(event.id, event);
    turn.writes.set(keyOf(event.id), encodeEvent(event));
    turn.leave({ kind: 'event', event });
  }

  /** The event, if nobody had acknowledged it before. */
  acknowledge(id: number): EngineEvent | undefined {
    const event = this.#events.get(id);
    if (event === undefined) return undefined;
    this.#events.delete(id);
    const { writes } = this.#turn();
    writes.set(keyOf(id), undefined);
    // Without the record of the newest event, a restart would give its id to another one.
    writes.set(NEXT_ID_KEY, writeCount(this.#nextId));
    return event;
  }

  /** What an event told of is over: nobody has to see it any more. Without a `subject`, all events of the kind. */
  withdraw(kind: EngineEventKind, subject?: string): void {
    for (const event of this.pending())
      if (event.kind === kind && (subject === undefined || event.subject === subject)) this.acknowledge(event.id);
  }

  isPending(kind: EngineEventKind, subject: string): boolean {
    return this.pending().some((event) => event.kind === kind && event.subject === subject);
  }

  /** Oldest first. */
  pending(): readonly EngineEvent[] {
    return [...this.#events.values()];
  }
}

const keyOf = (id: number): string => `evt/${sortable(id)}`;
