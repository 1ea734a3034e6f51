import type { Codec, WireFields } from '../wire/codec.ts';
import { ByteReader } from '../wire/reader.ts';
import type { Fields, StructOf } from '../wire/schema.ts';
import { structCodec } from '../wire/schema-codec.ts';
import { WireError } from '../wire/wire-error.ts';
import { ByteWriter } from '../wire/writer.ts';

/** The flags in a failure code (BOLT 4, Failure Messages). */
export const failureFlags = { badOnion: 0x8000, perm: 0x4000, node: 0x2000, update: 0x1000 } as const;

/** Every failure with its code and fields: those of BOLT 4, and those of trampoline nodes. */
export const failureMessages = {
  temporary_node_failure: { code: 0x2002, fields: {} },
  permanent_node_failure: { code: 0x6002, fields: {} },
  required_node_feature_missing: { code: 0x6003, fields: {} },
  invalid_onion_version: { code: 0xc004, fields: { sha256OfOnion: 'sha256' } },
  invalid_onion_hmac: { code: 0xc005, fields: { sha256OfOnion: 'sha256' } },
  invalid_onion_key: { code: 0xc006, fields: { sha256OfOnion: 'sha256' } },
  temporary_channel_failure: { code: 0x1007, fields: { channelUpdate: 'bytes' } },
  permanent_channel_failure: { code: 0x4008, fields: {} },
  required_channel_feature_missing: { code: 0x4009, fields: {} },
  unknown_next_peer: { code: 0x400a, fields: {} },
  amount_below_minimum: { code: 0x100b, fields: { htlcMsat: 'u64', channelUpdate: 'bytes' } },
  fee_insufficient: { code: 0x100c, fields: { htlcMsat: 'u64', channelUpdate: 'bytes' } },
  incorrect_cltv_expiry: { code: 0x100d, fields: { cltvExpiry: 'u32', channelUpdate: 'bytes' } },
  expiry_too_soon: { code: 0x100e, fields: { channelUpdate: 'bytes' } },
  incorrect_or_unknown_payment_details: { code: 0x400f, fields: { htlcMsat: 'u64', height: 'u32' } },
  final_incorrect_cltv_expiry: { code: 18, fields: { cltvExpiry: 'u32' } },
  final_incorrect_htlc_amount: { code: 19, fields: { incomingHtlcAmt: 'u64' } },
  channel_disabled: { code: 0x1014, fields: { disabledFlags: 'u16', channelUpdate: 'bytes' } },
  expiry_too_far: { code: 21, fields: {} },
  invalid_onion_payload: { code: 0x4016, fields: { type: 'bigsize', offset: 'u16' } },
  mpp_timeout: { code: 23, fields: {} },
  invalid_onion_blinding: { code: 0xc018, fields: { sha256OfOnion: 'sha256' } },
  // BOLT proposal 836.
  temporary_trampoline_failure: { code: 0x2019, fields: {} },
  trampoline_fee_or_expiry_insufficient: {
    code: 0x201a,
    fields: { feeBaseMsat: 'u32', feeProportionalMillionths: 'u32', cltvExpiryDelta: 'u16' },
  },
  unknown_next_trampoline: { code: 0x401b, fields: {} },
  // As eclair, Phoenix and Electrum have them. Neither says how much is missing.
  trampoline_fee_insufficient: { code: 0x2033, fields: {} },
  trampoline_expiry_too_soon: { code: 0x2034, fields: {} },
} as const;

type Failures = typeof failureMessages;

/** The BOLT's name of a failure. */
export type FailureKind = keyof Failures;

/** A failure by name; the fields are those of the BOLT. */
export type KnownFailure = {
  readonly [Kind in FailureKind]: { readonly kind: Kind } & StructOf<Failures[Kind]['fields']>;
}[FailureKind];

/** A code that we do not know, or one whose fields are cut short; the code's flags still say what to blame. */
export interface UnknownFailure {
  readonly kind: 'unknown';
  readonly code: number;
  readonly data: Uint8Array;
}

export type Failure = KnownFailure | UnknownFailure;

/** The 16-bit code of a failure. */
export const failureCode = (failure: Failure): number =>
  failure.kind === 'unknown' ? failure.code : failureMessages[failure.kind].code;

/** Code and fields, without length and padding. */
export function encodeFailure(failure: Failure): Uint8Array {
  const writer = new ByteWriter();
  writer.u16(failureCode(failure));
  if (failure.kind === 'unknown') writer.bytes(failure.data);
  else codecs[failure.kind].write(writer, failure);
  return writer.finish();
}

/** The reverse of `encodeFailure`; what follows the fields is ignored. Throws `WireError` when even the code is missing. */
export function decodeFailure(bytes: Uint8Array): Failure {
  const reader = new ByteReader(bytes);
  const code = reader.u16();
  const data = bytes.slice(2);
  const kind = kindByCode.get(code);
  if (kind === undefined) return { kind: 'unknown', code, data };
  try {
    return { kind, ...codecs[kind].read(reader) } as unknown as KnownFailure;
  } catch (error) {
    if (error instanceof WireError) return { kind: 'unknown', code, data };
    throw error;
  }
}

/**
 * The failure to send on when the next hop answered update_fail_malformed_htlc; `undefined` when its code lacks BADONION,
 * for which the channel is failed (BOLT 2, Removing an HTLC).
 */
export function failureOfMalformed(code: number, sha256OfOnion: Uint8Array): Failure | undefined {
  if ((code & failureFlags.badOnion) === 0) return undefined;
  const kind = kindByCode.get(code);
  switch (kind) {
    case 'invalid_onion_version':
    case 'invalid_onion_hmac':
    case 'invalid_onion_key':
    case 'invalid_onion_blinding':
      return { kind, sha256OfOnion };
    default:
      return { kind: 'unknown', code, data: sha256OfOnion };
  }
}

const entries = Object.entries(failureMessages) as readonly [FailureKind, { code: number; fields: Fields }][];

const codecs = Object.fromEntries(entries.map(([kind, { fields }]) => [kind, structCodec(fields)])) as Record<
  FailureKind,
  Codec<WireFields>
>;

const kindByCode: ReadonlyMap<number, FailureKind> = new Map(entries.map(([kind, { code }]) => [code, kind]));
