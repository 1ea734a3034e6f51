import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import type { Party } from './party.ts';
import type { Scene } from './scene.ts';

/** What a party has gained since a moment, and what the network got for it. */
export class Ledger {
  readonly #scene: Scene;
  readonly #party: Party;
  readonly #beforeSat: bigint;
  readonly #height: number;

  constructor(scene: Scene, party: Party) {
    this.#scene = scene;
    this.#party = party;
    this.#beforeSat = scene.coinsOf(party);
    this.#height = scene.chain.height;
  }

  /** Of coins in the wallet, in satoshi. */
  get gainedSat(): bigint {
    return this.#scene.coinsOf(this.#party) - this.#beforeSat;
  }

  /** The fees of confirmed transactions that the party broadcast, but for that of `close`. */
  feesSat(close: Transaction): bigint {
    const closeId = toHex(transactionId(close));
    return this.#scene
      .confirmedOf(this.#party, this.#height)
      .filter((tx) => toHex(transactionId(tx)) !== closeId)
      .reduce((sum, tx) => sum + this.#scene.feeSat(tx), 0n);
  }
}
