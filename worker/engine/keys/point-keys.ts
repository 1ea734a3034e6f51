import { toHex } from '../primitives/bytes.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { ChannelPublicKeys } from '../transactions/channel-parameters.ts';
import { derivePubkey, deriveRevocationPubkey } from './derivation.ts';

/** The keys of one side's basepoints for one per-commitment point, 33 bytes each, each derived when it is first needed. */
export class PointKeys {
  readonly #secp: Secp256k1;
  readonly #basepoints: ChannelPublicKeys;
  readonly #point: Uint8Array;
  #delayed: Uint8Array | undefined;
  #htlc: Uint8Array | undefined;
  #revocation: Uint8Array | undefined;

  constructor(secp: Secp256k1, basepoints: ChannelPublicKeys, perCommitmentPoint: Uint8Array) {
    this.#secp = secp;
    this.#basepoints = basepoints;
    this.#point = perCommitmentPoint;
  }

  get delayedPubkey(): Uint8Array {
    return (this.#delayed ??= derivePubkey(this.#secp, this.#basepoints.delayedPaymentBasepoint, this.#point));
  }

  get htlcPubkey(): Uint8Array {
    return (this.#htlc ??= derivePubkey(this.#secp, this.#basepoints.htlcBasepoint, this.#point));
  }

  /** The key in the other side's commitment. */
  get revocationPubkey(): Uint8Array {
    return (this.#revocation ??= deriveRevocationPubkey(this.#secp, this.#basepoints.revocationBasepoint, this.#point));
  }
}

const CACHED_POINTS = 8;

/** Keeps the keys of the newest points: curve operations are what a payment spends its time on. */
export class PointKeyCache {
  readonly #secp: Secp256k1;
  readonly #basepoints: ChannelPublicKeys;
  readonly #cache = new Map<string, PointKeys>();

  constructor(secp: Secp256k1, basepoints: ChannelPublicKeys) {
    this.#secp = secp;
    this.#basepoints = basepoints;
  }

  get(perCommitmentPoint: Uint8Array): PointKeys {
    const name = toHex(perCommitmentPoint);
    const known = this.#cache.get(name);
    if (known) return known;
    const keys = new PointKeys(this.#secp, this.#basepoints, perCommitmentPoint);
    if (this.#cache.size >= CACHED_POINTS) this.#cache.delete(this.#cache.keys().next().value ?? name);
    this.#cache.set(name, keys);
    return keys;
  }
}
