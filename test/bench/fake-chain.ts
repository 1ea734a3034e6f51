import { sha256d } from '../../worker/engine/primitives/hash.ts';
import { encodeTransaction } from '../../worker/engine/transactions/transaction.ts';

/** Who follows the chain; `transactions` with their positions in the block. */
interface Follower {
  blockConnected(header: Uint8Array, transactions: readonly Uint8Array[], height: number): void;
}

const BLOCK_SECONDS = 600;

/** A chain of headers without work: LDK checks neither that nor that a funding's inputs exist. */
export class FakeChain {
  /** To be mined. */
  readonly pending: Uint8Array[] = [];
  #hash: Uint8Array = new Uint8Array(32).fill(9);
  #height = 100;
  #time = 1_750_000_000;

  get tip(): { readonly hash: Uint8Array; readonly height: number; readonly time: number } {
    return { hash: this.#hash, height: this.#height, time: this.#time };
  }

  mine(followers: readonly Follower[], blocks: number): void {
    for (let i = 0; i < blocks; i++) {
      this.#height++;
      this.#time += BLOCK_SECONDS;
      const header = this.#header();
      const transactions = this.pending.splice(0);
      this.#hash = sha256d(header);
      for (const follower of followers) follower.blockConnected(header, transactions, this.#height);
    }
  }

  #header(): Uint8Array {
    const header = new Uint8Array(80);
    const view = new DataView(header.buffer);
    view.setUint32(0, 0x2000_0000, true);
    header.set(this.#hash, 4);
    view.setUint32(68, this.#time, true);
    view.setUint32(72, 0x207f_ffff, true);
    view.setUint32(76, this.#height, true);
    return header;
  }
}

/** A transaction from nowhere that pays a funding output. */
export function fakeFunding(script: Uint8Array, amountSat: bigint): Uint8Array {
  const txid = new Uint8Array(32).fill(7);
  const witness = [Uint8Array.of(0xff)];
  return encodeTransaction({
    version: 2,
    inputs: [{ txid, vout: 0, sequence: 0xffff_ffff, scriptSig: new Uint8Array(0), witness }],
    outputs: [{ amountSat, script }],
    locktime: 0,
  });
}
