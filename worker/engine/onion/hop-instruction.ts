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
  if (payload.currentPathKey !== undefined) return { kind: 'invalid', type: 12n };
  if (amtToForward === undefined) return { kind: 'invalid', type: 2n };
  if (outgoingCltvValue === undefined) return { kind: 'invalid', type: 4n };
  if (position.onion === 'final') return { kind: 'receive', amtToForward, outgoingCltvValue, payload };
  if (shortChannelId === undefined) return { kind: 'invalid', type: 6n };
  return { kind: 'relay', amtToForward, outgoingCltvValue, shortChannelId };
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
