import { MAX_MSAT } from '../primitives/units.ts';
import type { HopPayload } from './payloads.ts';

/** What a valid payload asks of us (BOLT 4, Payload Format and Route Blinding). Amounts in msat. */
export type HopInstruction =
  | {
      readonly kind: 'relay';
      readonly amtToForward: bigint;
      readonly outgoingCltvValue: number;
      readonly shortChannelId: bigint;
    }
  | {
      readonly kind: 'receive';
      readonly amtToForward: bigint;
      readonly outgoingCltvValue: number;
      readonly payload: HopPayload;
    }
  /** Where the payment goes from here, or that it ends here, is in the trampoline onion: see `readTrampoline`. */
  | TrampolineEntry
  | { readonly kind: 'blindedRelay'; readonly encryptedRecipientData: Uint8Array; readonly pathKey: Uint8Array }
  | {
      readonly kind: 'blindedReceive';
      readonly amtToForward: bigint;
      readonly outgoingCltvValue: number;
      readonly totalAmountMsat: bigint;
      readonly encryptedRecipientData: Uint8Array;
      readonly pathKey: Uint8Array;
      readonly payload: HopPayload;
    }
  /** The record that is missing or must not be there, for invalid_onion_payload. */
  | { readonly kind: 'invalid'; readonly type: bigint }
  /** A blinded hop says no more than invalid_onion_blinding, whatever is wrong. */
  | { readonly kind: 'invalidBlinding' };

/** How trampoline nodes are told what to do: as eclair, Phoenix and Electrum do, or as BOLT proposal 836 has it. */
export type TrampolineDialect = 'deployed' | 'proposed';

/** A part of a payment to a trampoline node, or to a payee behind one. Amounts in msat. */
export interface TrampolineEntry {
  readonly kind: 'trampoline';
  readonly dialect: TrampolineDialect;
  readonly packet: Uint8Array;
  readonly amtToForward: bigint;
  readonly outgoingCltvValue: number;
  /** Of all parts to this node; at least `amtToForward`. */
  readonly totalMsat: bigint;
  /** What tells the parts of one set from others; absent where there is one part only. */
  readonly paymentSecret?: Uint8Array;
  /** The node is a hop of a blinded path, and this is its path key. */
  readonly pathKey?: Uint8Array;
}

/** Where a payload was found. */
export interface PayloadPosition {
  /** How the onion was peeled. */
  readonly onion: 'final' | 'forward';
  /** The path key of update_add_htlc, if any. */
  readonly pathKey: Uint8Array | undefined;
}

/** Checks that the fields of a payload are those that its position allows and demands. */
export function hopInstruction(payload: HopPayload, position: PayloadPosition): HopInstruction {
  if (payload.encryptedRecipientData !== undefined || position.pathKey !== undefined) return blinded(payload, position);
  const { amtToForward, outgoingCltvValue, shortChannelId } = payload;
  const dialect = trampolineDialectOf(payload);
  // The path key for a trampoline node is the one record of a blinded hop that may stand in the outer onion.
  if (payload.currentPathKey !== undefined && dialect !== 'proposed') return { kind: 'invalid', type: 12n };
  if (amtToForward === undefined) return { kind: 'invalid', type: 2n };
  if (outgoingCltvValue === undefined) return { kind: 'invalid', type: 4n };
  if (dialect !== undefined) return trampoline(dialect, payload, { amtToForward, outgoingCltvValue }, position);
  if (position.onion === 'final') return { kind: 'receive', amtToForward, outgoingCltvValue, payload };
  if (shortChannelId === undefined) return { kind: 'invalid', type: 6n };
  return { kind: 'relay', amtToForward, outgoingCltvValue, shortChannelId };
}

function trampolineDialectOf({
  deployedTrampolineOnion,
  trampolineOnionPacket,
}: HopPayload): TrampolineDialect | undefined {
  if (deployedTrampolineOnion !== undefined) return 'deployed';
  return trampolineOnionPacket === undefined ? undefined : 'proposed';
}

function trampoline(
  dialect: TrampolineDialect,
  payload: HopPayload,
  part: Pick<TrampolineEntry, 'amtToForward' | 'outgoingCltvValue'>,
  { onion }: PayloadPosition,
): HopInstruction {
  const { deployedTrampolineOnion, trampolineOnionPacket, paymentData, currentPathKey } = payload;
  const packet = deployedTrampolineOnion ?? trampolineOnionPacket;
  const isTwice = deployedTrampolineOnion !== undefined && trampolineOnionPacket !== undefined;
  if (packet === undefined || isTwice || onion === 'forward')
    return { kind: 'invalid', type: dialect === 'deployed' ? 66100n : 20n };
  // Wallets may leave out what one part does not need, and write no total where it is the amount.
  const totalMsat =
    paymentData === undefined || paymentData.totalMsat === 0n ? part.amtToForward : paymentData.totalMsat;
  if (totalMsat < part.amtToForward || totalMsat > MAX_MSAT) return { kind: 'invalid', type: 8n };
  const entry = { kind: 'trampoline', dialect, packet, ...part, totalMsat } as const;
  const secret = paymentData && { paymentSecret: paymentData.paymentSecret };
  return { ...entry, ...secret, ...(currentPathKey && { pathKey: currentPathKey }) };
}

function blinded(payload: HopPayload, position: PayloadPosition): HopInstruction {
  const { encryptedRecipientData, currentPathKey, amtToForward, outgoingCltvValue, totalAmountMsat } = payload;
  // Exactly one of the two: the onion's key is for the first blinded node, the message's for those behind it.
  const pathKey = position.pathKey ?? currentPathKey;
  const twice = position.pathKey !== undefined && currentPathKey !== undefined;
  if (encryptedRecipientData === undefined || pathKey === undefined || twice) return { kind: 'invalidBlinding' };
  const allowed = position.onion === 'final' ? finalBlindedFields : relayBlindedFields;
  if (Object.keys(payload).some((field) => !allowed.includes(field))) return { kind: 'invalidBlinding' };
  if (position.onion === 'forward') return { kind: 'blindedRelay', encryptedRecipientData, pathKey };
  if (amtToForward === undefined || outgoingCltvValue === undefined || totalAmountMsat === undefined)
    return { kind: 'invalidBlinding' };
  const amounts = { amtToForward, outgoingCltvValue, totalAmountMsat };
  return { kind: 'blindedReceive', ...amounts, encryptedRecipientData, pathKey, payload };
}

// Custom records are odd or known to the recipient; neither makes a payload invalid.
const relayBlindedFields: readonly string[] = ['encryptedRecipientData', 'currentPathKey', 'customRecords'];
const finalBlindedFields: readonly string[] = [
  ...relayBlindedFields,
  'amtToForward',
  'outgoingCltvValue',
  'totalAmountMsat',
  'keysendPreimage',
];
