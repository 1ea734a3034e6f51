import { equalConstantTime } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';
import { sha256 } from '../primitives/hash.ts';

/** A revealed secret and its 48-bit index. */
export interface ShachainSlot {
  readonly index: number;
  /** 32 bytes */
  readonly secret: Uint8Array;
}

/**
 * The counterparty's per-commitment secrets, compressed to at most 49: slot `b` holds the newest whose index ends with
 * `b` zero bits, from which every index that shares its other bits follows. Plain data, to be stored as it is.
 */
export type ShachainStore = readonly ShachainSlot[];

export const EMPTY_SHACHAIN: ShachainStore = [];

const BITS = 48;
const FIRST_INDEX = 2 ** BITS - 1;

/** Secrets are revealed from index 2^48-1 downwards while commitment numbers count up from 0. */
export function shachainIndex(commitmentNumber: number): number {
  assert(commitmentNumber >= 0 && commitmentNumber <= FIRST_INDEX, 'a commitment number has 48 bits');
  return FIRST_INDEX - commitmentNumber;
}

/** The 32-byte per-commitment secret of a commitment (BOLT 3, Per-commitment Secret Requirements). */
export const perCommitmentSecret = (seed: Uint8Array, commitmentNumber: number): Uint8Array =>
  shachainSecret(seed, shachainIndex(commitmentNumber));

/** How many of the last bits of an index neighbours are taken to differ in. */
const NEIGHBOUR_BITS = 8;

/**
 * The per-commitment secrets of one seed for a channel that goes from each to the next: they share all of their
 * derivation but its last steps, so what they share is kept, which is a secret of this seed too.
 */
export class PerCommitmentSecrets {
  readonly #seed: Uint8Array;
  #shared: ShachainSlot | undefined;

  constructor(seed: Uint8Array) {
    this.#seed = seed;
  }

  /** As `perCommitmentSecret`. */
  get(commitmentNumber: number): Uint8Array {
    const index = shachainIndex(commitmentNumber);
    const shared = index - (index % 2 ** NEIGHBOUR_BITS);
    if (this.#shared?.index !== shared) this.#shared = { index: shared, secret: shachainSecret(this.#seed, shared) };
    return descend(this.#shared.secret, NEIGHBOUR_BITS, index);
  }
}

/** The 32-byte secret of an index. */
export const shachainSecret = (seed: Uint8Array, index: number): Uint8Array => descend(seed, BITS, index);

/**
 * The store with one more secret. `undefined` when the secret does not fit those before it: the peer did not derive its
 * secrets as it must, and the channel fails (BOLT 3, Efficient Per-commitment Secret Storage).
 */
export function insertSecret(store: ShachainStore, index: number, secret: Uint8Array): ShachainStore | undefined {
  const slot = trailingZeros(index);
  const fits = store
    .slice(0, slot)
    .every((known) => equalConstantTime(descend(secret, slot, known.index), known.secret));
  // A slot is only skipped when indexes are, and then older secrets could no longer be found.
  if (!fits || slot > store.length) return undefined;
  return store.toSpliced(slot, 1, { index, secret });
}

/** The 32-byte secret of an index; `undefined` when it has not been revealed yet. */
export function retrieveSecret(store: ShachainStore, index: number): Uint8Array | undefined {
  for (const [slot, known] of store.entries()) {
    const span = 2 ** slot;
    if (index - (index % span) === known.index) return descend(known.secret, slot, index);
  }
  return undefined;
}

/**
 * The 32-byte secret of the commitment before `unrevokedNumber`, the newest that was revealed; zeros where there is none (BOLT
 * 2, `your_last_per_commitment_secret`).
 */
export function lastSecret(store: ShachainStore, unrevokedNumber: number): Uint8Array {
  const secret = unrevokedNumber === 0 ? undefined : retrieveSecret(store, shachainIndex(unrevokedNumber - 1));
  return secret ?? new Uint8Array(32);
}

/** Walks from a secret whose index ends in `bits` zeros to the index that differs in those bits only. */
function descend(from: Uint8Array, bits: number, index: number): Uint8Array {
  let secret = from.slice();
  for (let bit = bits - 1; bit >= 0; bit--) {
    if (Math.floor(index / 2 ** bit) % 2 === 0) continue;
    const position = Math.floor(bit / 8);
    secret[position] = (secret[position] ?? 0) ^ (1 << (bit % 8));
    secret = sha256(secret);
  }
  return secret;
}

function trailingZeros(index: number): number {
  let zeros = 0;
  for (let rest = index; zeros < BITS && rest % 2 === 0; rest /= 2) zeros++;
  return zeros;
}
