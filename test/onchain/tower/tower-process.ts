import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { encodeTransaction } from '../../../worker/engine/transactions/transaction.ts';
import type { GoneBlock, ToldBlock } from '../delivery.ts';
import type { Party } from '../party.ts';
import type { FromTower, ToTower } from './process.ts';
import { txidsOf } from './watchtower.ts';

/** A process of its own that has nothing of a party but its monitors' records, its seed and its coins. */
export class TowerProcess {
  /** What was in its wallet when it last said something. */
  coinsSat = 0n;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Acts for a party as it is on disk now. */
  static async begin({ disk, seed }: Party): Promise<TowerProcess> {
    const child = fork(join(import.meta.dirname, 'process.ts'), {
      execArgv: ['--import', 'tsx'],
      serialization: 'advanced',
    });
    const tower = new TowerProcess(child);
    const records = new Map([...disk.durable].filter(([key]) => key.startsWith('mon/')));
    await tower.#ask({
      kind: 'begin',
      parts: { seed, records, coins: disk.durable.get('coin/state') ?? new Uint8Array(0) },
    });
    return tower;
  }

  connected({ height, transactions }: ToldBlock): Promise<readonly Uint8Array[]> {
    return this.#ask({ kind: 'connected', height, transactions: transactions.map(encodeTransaction) });
  }

  disconnected({ previousHeight, transactions }: GoneBlock): Promise<readonly Uint8Array[]> {
    const txids = txidsOf(transactions.map(encodeTransaction));
    return this.#ask({ kind: 'disconnected', height: previousHeight, txids });
  }

  end(): void {
    this.#child.kill();
  }

  /** Rejects where the process has ended. */
  #ask(message: ToTower): Promise<readonly Uint8Array[]> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the process has ended'));
      this.#child.once('exit', ended);
      this.#child.once('message', (answer) => {
        this.#child.off('exit', ended);
        const { transactions, coinsSat } = answer as FromTower;
        this.coinsSat = coinsSat;
        resolve(transactions);
      });
      this.#child.send(message);
    });
  }
}
