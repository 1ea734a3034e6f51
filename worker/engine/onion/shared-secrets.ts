import { concat } from '../primitives/bytes.ts';
import { sha256 } from '../primitives/hash.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';

/** What a hop and the sender share, and the ephemeral key that the hop sees; 32 and 33 bytes. */
export interface HopSecret {
  readonly sharedSecret: Uint8Array;
  readonly ephemeralKey: Uint8Array;
}

/**
 * Walks a route with one session key: every hop sees the previous ephemeral key blinded by its shared secret
 * (BOLT 4, Packet Construction). `sessionKey` is 32 fresh random bytes and never used twice.
 */
export function hopSecrets(
  secp: Secp256k1,
  sessionKey: Uint8Array,
  nodeIds: readonly Uint8Array[],
): readonly HopSecret[] {
  let ephemeralSecret = sessionKey;
  return nodeIds.map((nodeId) => {
    const ephemeralKey = secp.publicKey(ephemeralSecret);
    const sharedSecret = secp.ecdh(ephemeralSecret, nodeId);
    ephemeralSecret = secp.secretMultiply(ephemeralSecret, blindingFactor(ephemeralKey, sharedSecret));
    return { sharedSecret, ephemeralKey };
  });
}

/** The ephemeral key that a hop passes on. */
export const nextEphemeralKey = (secp: Secp256k1, ephemeralKey: Uint8Array, sharedSecret: Uint8Array): Uint8Array =>
  secp.pointMultiply(ephemeralKey, blindingFactor(ephemeralKey, sharedSecret));

const blindingFactor = (ephemeralKey: Uint8Array, sharedSecret: Uint8Array): Uint8Array =>
  sha256(concat(ephemeralKey, sharedSecret));
