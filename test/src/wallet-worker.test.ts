import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WalletUpdate } from '../../worker/client/api.ts';
import { GlowwormError, openWallet, type OpenWalletOptions } from '../../src/index.ts';
import { ChannelWorker } from './channel-worker.ts';
import { ALICE, FakeWallet, newSnapshot, runningSnapshot } from './fake-wallet.ts';

describe('openWallet', () => {
  let fake: FakeWallet;
  let worker: ChannelWorker;
  let options: OpenWalletOptions;

  beforeEach(() => {
    fake = new FakeWallet();
    worker = new ChannelWorker({ open: async () => fake, onInternalError: () => {} });
    options = { network: 'regtest', esploraUrls: ['http://127.0.0.1:1'], worker: worker.asWorker() };
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    worker.terminate();
  });

  it('gives every method a promise', async () => {
    const wallet = await openWallet(options);
    expect(await wallet.snapshot()).toEqual(runningSnapshot());
    expect(await wallet.openChannel({ nodeId: ALICE, amountSat: 20_000n })).toEqual({
      temporaryChannelId: '77'.repeat(32),
    });
    expect(await wallet.activity({ limit: 2 })).toHaveLength(2);
    await wallet.close();
  });

  it('restores errors', async () => {
    const wallet = await openWallet(options);
    const error: unknown = await wallet.decodeInvoice({ invoice: 'nonsense' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GlowwormError);
    expect(error).toMatchObject({ code: 'InvoiceInvalid', message: expect.stringContaining('checksum') });
    await wallet.close();
  });

  it('names arguments that cannot be sent', async () => {
    const wallet = await openWallet(options);
    const request = { description: (() => '') as unknown as string };
    await expect(wallet.createInvoice(request)).rejects.toMatchObject({ code: 'ArgumentInvalid' });
    await wallet.close();
  });

  it('ends the worker when the wallet cannot be opened', async () => {
    const error = new GlowwormError('WalletOpenElsewhere', 'Open elsewhere.');
    worker = new ChannelWorker({ open: () => Promise.reject(error), onInternalError: () => {} });
    await expect(openWallet({ ...options, worker: worker.asWorker() })).rejects.toMatchObject({
      code: 'WalletOpenElsewhere',
    });
    expect(worker.terminated).toBe(true);
  });

  it('brings snapshots and events until told to stop', async () => {
    const wallet = await openWallet(options);
    const updates = new Updates();
    const stop = wallet.subscribe(updates.take);
    expect(await updates.next()).toEqual({ kind: 'snapshot', snapshot: runningSnapshot() });
    fake.happen({ id: 'e1' });
    expect(await updates.next()).toMatchObject({ kind: 'event', event: { id: 'e1', amountMsat: 25_000_000n } });
    await wallet.acknowledgeEvent({ id: 'e1' });
    expect(fake.calls).toEqual([['acknowledgeEvent', { id: 'e1' }]]);
    stop();
    await wallet.snapshot();
    await wallet.snapshot();
    expect(fake.listeners).toBe(0);
    fake.show(newSnapshot());
    await wallet.snapshot();
    expect(updates.waiting).toBe(0);
    await wallet.close();
  });

  it('rejects waiting and later calls when the worker fails, and tells subscribers once', async () => {
    const wallet = await openWallet(options);
    const ends: string[] = [];
    wallet.subscribe(
      () => {},
      (error) => ends.push(error.code),
    );
    fake.payInvoice = () => new Promise(() => {});
    const payment = wallet.payInvoice({ invoice: 'lnbc1' });
    worker.fail('out of memory');
    worker.fail('again');
    await expect(payment).rejects.toMatchObject({ code: 'WorkerDied', details: { cause: 'out of memory' } });
    await expect(wallet.snapshot()).rejects.toMatchObject({ code: 'WorkerDied' });
    await expect(wallet.close()).rejects.toMatchObject({ code: 'WorkerDied' });
    expect(ends).toEqual(['WorkerDied']);
    expect(worker.terminated).toBe(true);
  });

  it('tells a subscriber that gets no subscription', async () => {
    const wallet = await openWallet(options);
    fake.subscribe = () => {
      throw new GlowwormError('StorageFailed', 'No.');
    };
    const code = await new Promise((resolve) => {
      wallet.subscribe(
        () => {},
        (error) => resolve(error.code),
      );
    });
    expect(code).toBe('StorageFailed');
    await wallet.close();
  });

  it('rejects when a message cannot be read', async () => {
    const wallet = await openWallet(options);
    worker.dispatchEvent(new Event('messageerror'));
    await expect(wallet.snapshot()).rejects.toMatchObject({ code: 'WorkerDied' });
  });

  it('rejects when the worker falls silent', async () => {
    vi.useFakeTimers();
    const silent = new ChannelWorker();
    const opening = openWallet({ ...options, worker: silent.asWorker() });
    const outcome = expect(opening).rejects.toMatchObject({
      code: 'WorkerDied',
      details: { cause: 'it does not answer' },
    });
    await vi.advanceTimersByTimeAsync(6 * 15_000);
    expect(silent.terminated).toBe(false);
    await vi.advanceTimersByTimeAsync(15_000);
    await outcome;
    expect(silent.terminated).toBe(true);
  });

  it('rejects waiting calls with WalletClosed on close', async () => {
    const wallet = await openWallet(options);
    fake.payInvoice = () => new Promise(() => {});
    const payment = wallet.payInvoice({ invoice: 'lnbc1' });
    const outcome = expect(payment).rejects.toMatchObject({ code: 'WalletClosed' });
    await wallet.close();
    await outcome;
    expect(fake.closed).toBe(true);
    expect(worker.terminated).toBe(true);
  });

  it('wakes the wallet when the page is seen again and when the network is back', async () => {
    const page = new EventTarget();
    const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
    vi.stubGlobal('document', document);
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
    const wallet = await openWallet(options);
    document.dispatchEvent(new Event('visibilitychange'));
    await wallet.snapshot();
    expect(fake.calls).toEqual([]);
    document.visibilityState = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
    page.dispatchEvent(new Event('pageshow'));
    page.dispatchEvent(new Event('online'));
    await wallet.snapshot();
    expect(fake.calls).toEqual([['wake'], ['wake'], ['wake']]);
    await wallet.close();
    page.dispatchEvent(new Event('online'));
    expect(fake.calls).toHaveLength(3);
  });
});

/** Updates in the order of their arrival, to be awaited one by one. */
class Updates {
  readonly #arrived: WalletUpdate[] = [];
  #wanted: ((update: WalletUpdate) => void) | undefined;

  readonly take = (update: WalletUpdate): void => {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (wanted === undefined) this.#arrived.push(update);
    else wanted(update);
  };

  get waiting(): number {
    return this.#arrived.length;
  }

  next(): Promise<WalletUpdate> {
    const first = this.#arrived.shift();
    if (first !== undefined) return Promise.resolve(first);
    return new Promise((resolve) => {
      this.#wanted = resolve;
    });
  }
}
