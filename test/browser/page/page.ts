import {
  GlowwormError,
  openWallet,
  type Wallet,
  type WalletApi,
  type WalletConfig,
  type WalletUpdate,
} from '../../../src/index.ts';

/** An answer as it crosses from the page to the test, where an error would lose its code. */
export type Answer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly code: string; readonly message: string };

/** What a test reaches in the page. */
export interface TestPage {
  open(config: WalletConfig): Promise<Answer>;
  /** Opens with a worker whose script there is not. */
  openWithoutScript(config: WalletConfig): Promise<Answer>;
  call(method: keyof WalletApi | 'close', args: readonly unknown[]): Promise<Answer>;
  /** Ends the worker at once, whatever it is doing. */
  terminate(): void;
  /** Lets the page believe that the browser has reported the worker's crash. */
  crash(): void;
  /** Gives a database a version that is still to come. */
  upgradeDatabase(name: string): Promise<void>;
  deleteDatabase(name: string): Promise<void>;
  /** How the wallet's end was told to the subscription, if it was. */
  readonly endedBy: string | undefined;
}

declare global {
  interface Window {
    testPage: TestPage;
    /** The test's side of the subscription. */
    told(update: WalletUpdate): Promise<void>;
  }
}

class Page implements TestPage {
  endedBy: string | undefined;
  #worker: Worker | undefined;
  #wallet: Wallet | undefined;

  open(config: WalletConfig): Promise<Answer> {
    return this.#open(config, new Worker(new URL('../../../worker/main.ts', import.meta.url), { type: 'module' }));
  }

  openWithoutScript(config: WalletConfig): Promise<Answer> {
    return this.#open(config, new Worker('/there-is-no-such-script.js', { type: 'module' }));
  }

  call(method: keyof WalletApi | 'close', args: readonly unknown[]): Promise<Answer> {
    return answer(async () => {
      const wallet = this.#wallet;
      if (wallet === undefined) throw new Error('no wallet is open');
      return (wallet[method] as (...args: readonly unknown[]) => unknown)(...args);
    });
  }

  terminate(): void {
    this.#worker?.terminate();
  }

  crash(): void {
    this.#worker?.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }));
  }

  async upgradeDatabase(name: string): Promise<void> {
    const database = await settled(indexedDB.open(name, 99));
    database.close();
  }

  async deleteDatabase(name: string): Promise<void> {
    await settled(indexedDB.deleteDatabase(name));
  }

  #open(config: WalletConfig, worker: Worker): Promise<Answer> {
    return answer(async () => {
      this.#worker = worker;
      const wallet = await openWallet({ ...config, worker });
      this.#wallet = wallet;
      this.endedBy = undefined;
      wallet.subscribe(
        (update) => void deliver(wallet, update),
        (error) => {
          this.endedBy = error.code;
        },
      );
    });
  }
}

/** An event is acknowledged once the test has it: if the page ends before, the next start brings it again. */
async function deliver(wallet: Wallet, update: WalletUpdate): Promise<void> {
  await window.told(update);
  // A wallet that has ended meanwhile keeps the event.
  if (update.kind === 'event') await wallet.acknowledgeEvent({ id: update.event.id }).catch(() => undefined);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error(request.error?.message));
  });
}

async function answer(work: () => Promise<unknown>): Promise<Answer> {
  try {
    return { kind: 'value', value: await work() };
  } catch (error) {
    if (error instanceof GlowwormError) return { kind: 'error', code: error.code, message: error.message };
    return { kind: 'error', code: 'TestPageError', message: String(error) };
  }
}

window.testPage = new Page();
