import { toHex } from '../primitives/bytes.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { deriveRevocationPubkey, deriveSecret } from './derivation.ts';

/** A 32-byte secret and its 33-byte key. */
export interface KeyPair {
  readonly secret: Uint8Array;
  readonly pubkey: Uint8Array;
}

/** The basepoint secrets that the keys of a point come from. */
export interface BasepointSecrets {
  readonly revocationBase: Uint8Array;
  readonly delayedPaymentBase: Uint8Array;
  readonly htlcBase: Uint8Array;
}

/** What a side derives for one per-commitment point from its own secrets, each when it is first needed. */
export class PointKeys {
  readonly #secp: Secp256k1;
  readonly #secrets: BasepointSecrets;
  readonly #point: Uint8Array;
  #delayed: KeyPair | undefined;
  #htlc: KeyPair | undefined;
  #revocation: Uint8Array | undefined;

  constructor(secp: Secp256k1, secrets: BasepointSecrets, perCommitmentPoint: Uint8Array) {
    this.#secp = secp;
    this.#secrets = secrets;
    this.#point = perCommitmentPoint;
  }

  get delayed(): KeyPair {
    return (this.#delayed ??= this.#derive(this.#secrets.delayedPaymentBase));
  }

  get htlc(): KeyPair {
    return (this.#htlc ??= this.#derive(this.#secrets.htlcBase));
  }

  /** Of its revocation basepoint: the key in the other side's commitment. */
  get revocationPubkey(): Uint8Array {
    const basepoint = (): Uint8Array => this.#secp.publicKey(this.#secrets.revocationBase);
    return (this.#revocation ??= deriveRevocationPubkey(this.#secp, basepoint(), this.#point));
  }

  #derive(basepointSecret: Uint8Array): KeyPair {
    const secret = deriveSecret(this.#secp, basepointSecret, this.#point);
    return { secret, pubkey: this.#secp.publicKey(secret) };
  }
}

const CACHED_POINTS = 8;

/** Keeps the keys of the newest points: curve operations are what a payment spends its time on. */
export class PointKeyCache {
  readonly #secp: Secp256k1;
  readonly #secrets: BasepointSecrets;
  readonly #cache = new Map<string, PointKeys>();

  constructor(secp: Secp256k1, secrets: BasepointSecrets) {
    this.#secp = secp;
    this.#secrets = secrets;
  }

  get(perCommitmentPoint: Uint8Array): PointKeys {
    const name = toHex(perCommitmentPoint);
    const known = this.#cache.get(name);
    if (known) return known;
    const keys = new PointKeys(this.#secp, this.#secrets, perCommitmentPoint);
    if (this.#cache.size >= CACHED_POINTS) this.#cache.delete(this.#cache.keys().next().value ?? name);
    this.#cache.set(name, keys);
    return keys;
  }
}
