import type { WalletApi, WalletEvent, WalletSnapshot, WalletUpdate } from '../../worker/client/api.ts';

/** The wallet's methods as a page has them: each answers with a promise. */
export type WalletCalls = {
  readonly [M in keyof WalletApi]: (...args: Parameters<WalletApi[M]>) => Promise<Awaited<ReturnType<WalletApi[M]>>>;
};

/** A wallet under test, wherever it runs. */
export interface DrivenWallet {
  readonly api: WalletCalls;
  /** The newest snapshot and every event that it has told, over all its starts. */
  readonly told: Told;
}

/** What a wallet has told, with repetitions of an event left out. */
export class Told {
  readonly #onChange: () => void;
  readonly #events = new Map<string, WalletEvent>();
  #snapshot: WalletSnapshot | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get snapshot(): WalletSnapshot {
    if (this.#snapshot === undefined) throw new Error('the wallet has told nothing yet');
    return this.#snapshot;
  }

  get events(): readonly WalletEvent[] {
    return [...this.#events.values()];
  }

  eventsOf(subject: string): readonly WalletEvent[] {
    return this.events.filter((event) => event.subject === subject);
  }

  update(update: WalletUpdate): void {
    if (update.kind === 'snapshot') this.#snapshot = update.snapshot;
    else this.#events.set(`${update.event.id} ${update.event.at}`, update.event);
    this.#onChange();
  }
}
