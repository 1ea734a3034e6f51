import { describe, expect, it } from 'vitest';
import type { WalletEvent, WalletSnapshot, WalletUpdate } from '../../worker/client/api.ts';
import { UpdateFeed } from '../../worker/client/endpoint-updates.ts';
import { newSnapshot } from './fake-wallet.ts';

describe('UpdateFeed', () => {
  it('keeps only the newest snapshot while the listener is busy, and every event in order', async () => {
    const listener = new SlowListener();
    const feed = new UpdateFeed(listener.take, () => {});
    for (const height of [1, 2, 3]) feed.push(snapshot(height));
    feed.push(event('a'));
    feed.push(event('b'));
    feed.push(event('a'));
    feed.push(snapshot(4));
    await listener.drain(4);
    expect(listener.heard).toEqual(['1', '4', 'a', 'b']);
  });

  it('goes on after a listener that throws, and tells of it', async () => {
    const errors: unknown[] = [];
    const heard: string[] = [];
    const feed = new UpdateFeed(
      async (update) => {
        heard.push(nameOf(update));
        if (update.kind === 'event') throw new Error('no');
      },
      (error) => errors.push(error),
    );
    feed.push(event('a'));
    feed.push(event('b'));
    feed.push(snapshot(1));
    await turns(10);
    expect(heard).toEqual(['a', '1', 'b']);
    expect(errors).toHaveLength(2);
    feed.push(snapshot(2));
    expect(heard).toEqual(['a', '1', 'b', '2']);
  });

  it('says nothing after stop', async () => {
    const listener = new SlowListener();
    const feed = new UpdateFeed(listener.take, () => {});
    feed.push(snapshot(1));
    feed.push(event('a'));
    feed.stop();
    feed.push(snapshot(2));
    await listener.drain(1);
    expect(listener.heard).toEqual(['1']);
  });

  it('holds a bounded number of events', async () => {
    const listener = new SlowListener();
    const feed = new UpdateFeed(listener.take, () => {});
    feed.push(snapshot(1));
    for (let id = 0; id < 1500; id++) feed.push(event(`e${id}`));
    await listener.drain(1001);
    expect(listener.heard).toHaveLength(1001);
    expect(listener.busy).toBe(false);
  });
});

/** Answers only when told to. */
class SlowListener {
  readonly heard: string[] = [];
  #answer: (() => void) | undefined;

  readonly take = (update: WalletUpdate): Promise<void> => {
    this.heard.push(nameOf(update));
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  };

  get busy(): boolean {
    return this.#answer !== undefined;
  }

  async drain(count: number): Promise<void> {
    for (let done = 0; done < count; done++) {
      const answer = this.#answer;
      this.#answer = undefined;
      answer?.();
      await turns(3);
    }
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

function nameOf(update: WalletUpdate): string {
  return update.kind === 'snapshot' ? String(update.snapshot.chain.blockHeight) : update.event.id;
}

function snapshot(blockHeight: number): WalletUpdate {
  const base: WalletSnapshot = newSnapshot();
  return { kind: 'snapshot', snapshot: { ...base, chain: { kind: 'synced', blockHeight } } };
}

function event(id: string): WalletUpdate {
  const happened: WalletEvent = { id, kind: 'paymentSent', subject: '', amountMsat: 1n, message: '', at: 0 };
  return { kind: 'event', event: happened };
}
