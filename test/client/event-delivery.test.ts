import { beforeEach, describe, expect, it } from 'vitest';
import { EventDelivery } from '../../worker/client/event-delivery.ts';
import type { EngineEvent } from '../../worker/engine/manager/engine-event.ts';

let pending: EngineEvent[];
let told: number[];
/** Events that cannot be told. */
let unspeakable: Set<number>;

const eventOf = (id: number): EngineEvent => ({
  id,
  kind: 'paymentReceived',
  subject: '00'.repeat(32),
  amountMsat: 1n,
  message: '',
  at: 0,
});

const delivery = (): EventDelivery =>
  new EventDelivery({ pendingEvents: () => pending }, ({ id }) => {
    if (unspeakable.has(id)) throw new TypeError('a mistake of ours');
    told.push(id);
  });

const idsOf = (events: readonly EngineEvent[]): readonly number[] => events.map(({ id }) => id);

beforeEach(() => {
  pending = [];
  told = [];
  unspeakable = new Set();
});

describe('an event', () => {
  it('is told when its commit has completed, and only once', () => {
    const events = delivery();
    pending.push(eventOf(1), eventOf(2));
    events.deliver();
    expect(told).toEqual([]);
    events.durable(1);
    events.deliver();
    events.deliver();
    expect([told, idsOf(events.told())]).toEqual([[1], [1]]);
    events.durable(2);
    events.deliver();
    expect([told, idsOf(events.told())]).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('is not there for whoever asks before it was told', () => {
    const events = delivery();
    pending.push(eventOf(1));
    events.durable(1);
    expect(events.told()).toEqual([]);
  });

  it('that is over before it was told is told to nobody', () => {
    const events = delivery();
    pending.push(eventOf(1), eventOf(2));
    events.durable(2);
    pending.shift();
    events.deliver();
    expect(told).toEqual([2]);
  });

  it('that could not be told is told again, before those after it', () => {
    const events = delivery();
    pending.push(eventOf(1), eventOf(2), eventOf(3));
    events.durable(3);
    unspeakable.add(2);
    expect(() => events.deliver()).toThrow('a mistake of ours');
    expect([told, idsOf(events.told())]).toEqual([[1], [1]]);
    unspeakable.clear();
    events.deliver();
    expect(told).toEqual([1, 2, 3]);
  });

  it('of an earlier run is there for whoever asks, until it is acknowledged', () => {
    pending.push(eventOf(7), eventOf(8));
    const events = delivery();
    events.deliver();
    expect([told, idsOf(events.told())]).toEqual([[], [7, 8]]);
    pending.shift();
    expect(idsOf(events.told())).toEqual([8]);
  });
});
