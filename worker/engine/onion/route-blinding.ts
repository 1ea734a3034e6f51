import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { assert } from '../primitives/errors.ts';
import { hmacSha256 } from '../primitives/hash.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { Codec } from '../wire/codec.ts';
import { decode, encode } from '../wire/codec.ts';
import type { TlvsOf } from '../wire/schema.ts';
import { codecOf } from '../wire/schema-codec.ts';
import { WireError } from '../wire/wire-error.ts';
import { onionKey } from './onion-keys.ts';
import { hopSecrets, nextEphemeralKey } from './shared-secrets.ts';

/** The records that the recipient writes for each hop of a blinded path (BOLT 4, encrypted_data_tlv). */
export const encryptedDataRecords = {
  padding: [1, 'remaining'],
  shortChannelId: [2, 'shortChannelId'],
  nextNodeId: [4, 'point'],
  pathId: [6, 'remaining'],
  nextPathKeyOverride: [8, 'point'],
  paymentRelay: [
    10,
    { kind: 'struct', fields: { cltvExpiryDelta: 'u16', feeProportionalMillionths: 'u32', feeBaseMsat: 'tu32' } },
  ],
  paymentConstraints: [12, { kind: 'struct', fields: { maxCltvExpiry: 'u32', htlcMinimumMsat: 'tu64' } }],
  allowedFeatures: [14, 'remaining'],
} as const;

export type EncryptedData = TlvsOf<typeof encryptedDataRecords>;

export interface BlindedHop {
  /** 33 bytes. */
  readonly blindedNodeId: Uint8Array;
  readonly encryptedRecipientData: Uint8Array;
}

export interface BlindedRoute {
  readonly firstPathKey: Uint8Array;
  readonly hops: readonly BlindedHop[];
}

/** What a hop of a blinded path learns. */
export interface Unblinded {
  readonly data: EncryptedData;
  /** For the next hop, unless `data.nextPathKeyOverride` replaces it. */
  readonly nextPathKey: Uint8Array;
}

/** The bytes of one hop's data, before encryption. */
export const encodeEncryptedData = (data: EncryptedData): Uint8Array => encode(codec, data);

/**
 * Blinds a route (BOLT 4, Route Blinding). `pathSecret` is 32 fresh random bytes, never used twice; `data` is the
 * plaintext TLV stream for each node. Throws what the curve throws when a node id is no point.
 */
export function blindRoute(
  secp: Secp256k1,
  pathSecret: Uint8Array,
  hops: readonly { readonly nodeId: Uint8Array; readonly data: Uint8Array }[],
): BlindedRoute {
  const nodeIds = hops.map(({ nodeId }) => nodeId);
  const secrets = hopSecrets(secp, pathSecret, nodeIds);
  const [first] = secrets;
  assert(first !== undefined, 'a blinded route has a hop');
  const blindedHops = hops.map(({ nodeId, data }, index) => {
    const sharedSecret = secrets[index]?.sharedSecret;
    assert(sharedSecret !== undefined, 'a secret per hop');
    return {
      blindedNodeId: secp.pointMultiply(nodeId, blindedNodeTweak(sharedSecret)),
      encryptedRecipientData: chacha20poly1305(onionKey('rho', sharedSecret), ZERO_NONCE).encrypt(data),
    };
  });
  return { firstPathKey: first.ephemeralKey, hops: blindedHops };
}

/**
 * Reads our part of a blinded path; `undefined` when the path key is no point, or the data was not written for it and us,
 * or is no valid stream: invalid_onion_blinding.
 */
export function unblind(
  secp: Secp256k1,
  nodeSecretEcdh: (point: Uint8Array) => Uint8Array,
  pathKey: Uint8Array,
  encryptedRecipientData: Uint8Array,
): Unblinded | undefined {
  if (!secp.isPoint(pathKey)) return undefined;
  const sharedSecret = nodeSecretEcdh(pathKey);
  const plaintext = decrypted(onionKey('rho', sharedSecret), encryptedRecipientData);
  const data = plaintext && parsed(plaintext);
  return data && { data, nextPathKey: nextEphemeralKey(secp, pathKey, sharedSecret) };
}

/**
 * ECDH as the blinded node id of a path key: what peels an onion that was built for it. `nodeSecretEcdh` is our own; for
 * a signer that can't be tweaked, the point is.
 */
export const blindedEcdh =
  (secp: Secp256k1, nodeSecretEcdh: (point: Uint8Array) => Uint8Array, pathKey: Uint8Array) =>
  (point: Uint8Array): Uint8Array =>
    nodeSecretEcdh(secp.pointMultiply(point, blindedNodeTweak(nodeSecretEcdh(pathKey))));

const ZERO_NONCE = new Uint8Array(12);

const codec: Codec<EncryptedData> = codecOf({ kind: 'tlvs', records: encryptedDataRecords });

const blindedNodeTweak = (sharedSecret: Uint8Array): Uint8Array =>
  hmacSha256(utf8ToBytes('blinded_node_id'), sharedSecret);

function decrypted(key: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
  try {
    return chacha20poly1305(key, ZERO_NONCE).decrypt(ciphertext);
  } catch {
    return undefined;
  }
}

function parsed(plaintext: Uint8Array): EncryptedData | undefined {
  try {
    return decode(codec, plaintext);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
