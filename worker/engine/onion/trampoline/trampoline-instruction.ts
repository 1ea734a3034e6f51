import { sha256 } from '../../primitives/hash.ts';
import type { Secp256k1 } from '../../primitives/secp256k1.ts';
import { MAX_MSAT } from '../../primitives/units.ts';
import { trimFeatures } from '../../wire/features.ts';
import type { Failure } from '../failure-message.ts';
import { hopInstruction, type TrampolineEntry } from '../hop-instruction.ts';
import type { PeeledOnion } from '../sphinx.ts';
import { trampolineDialects } from './trampoline-dialect.ts';
import { usableHints, usablePaths, type OutsideRecipient } from './trampoline-payee.ts';
import type { TrampolinePayload } from './trampoline-payload.ts';

/** What is to leave a trampoline node, all parts together, or to arrive. Amounts in msat. */
interface Amounts {
  readonly amtToForward: bigint;
  readonly outgoingCltvValue: number;
}

/** What a trampoline onion asks of us. */
export type TrampolineInstruction =
  /** To the next trampoline node, or a payee that is one, with the onion for it. */
  | (Amounts & { readonly kind: 'relay'; readonly outgoingNodeId: Uint8Array; readonly nextPacket: Uint8Array })
  | (Amounts & { readonly kind: 'relayToRecipient'; readonly recipient: OutsideRecipient })
  | (Amounts & {
      readonly kind: 'receive';
      readonly paymentSecret: Uint8Array;
      readonly totalMsat: bigint;
      readonly paymentMetadata?: Uint8Array;
    })
  | {
      readonly kind: 'blindedRelay';
      readonly encryptedRecipientData: Uint8Array;
      readonly pathKey: Uint8Array;
      readonly nextPacket: Uint8Array;
    }
  | (Amounts & {
      readonly kind: 'blindedReceive';
      readonly totalAmountMsat: bigint;
      readonly encryptedRecipientData: Uint8Array;
      readonly pathKey: Uint8Array;
    })
  | { readonly kind: 'fail'; readonly failure: Failure };

/** The HTLC that an outer onion came with. */
export interface IncomingHtlc {
  readonly amountMsat: bigint;
  readonly cltvExpiry: number;
  readonly paymentHash: Uint8Array;
}

/** All that an instruction is read from. */
export interface PeeledPayload {
  readonly secp: Secp256k1;
  readonly entry: TrampolineEntry;
  readonly htlc: IncomingHtlc;
  readonly peeled: Extract<PeeledOnion, { readonly kind: 'final' | 'forward' }>;
  readonly payload: TrampolinePayload;
}

/** Checks that a payload has the fields that what it asks for needs, with values that somebody can act on. */
export function instructionOf(read: PeeledPayload): TrampolineInstruction {
  const { entry, peeled, payload } = read;
  const { encryptedRecipientData, currentPathKey, amtToForward, outgoingCltvValue } = payload;
  if ((encryptedRecipientData ?? currentPathKey ?? entry.pathKey) !== undefined) return blinded(read);
  if (amtToForward === undefined || amtToForward === 0n || amtToForward > MAX_MSAT)
    return lacking(read, 'amtToForward');
  if (outgoingCltvValue === undefined || outgoingCltvValue >= LOCKTIME_THRESHOLD)
    return lacking(read, 'outgoingCltvValue');
  const amounts = { amtToForward, outgoingCltvValue };
  // A payer may put a hop behind these that nobody will read: what the payload says counts, not where it stands.
  if (payload.invoiceRoutingInfo !== undefined) return toRouteHints(read, payload.invoiceRoutingInfo, amounts);
  if (payload.recipientBlindedPaths !== undefined) return toBlindedPaths(read, payload.recipientBlindedPaths, amounts);
  return peeled.kind === 'forward' ? toTrampoline(read, peeled.nextPacket, amounts) : receive(read, amounts);
}

function toTrampoline(read: PeeledPayload, nextPacket: Uint8Array, amounts: Amounts): TrampolineInstruction {
  const { outgoingNodeId } = read.payload;
  if (outgoingNodeId === undefined || !read.secp.isPoint(outgoingNodeId)) return lacking(read, 'outgoingNodeId');
  return { kind: 'relay', ...amounts, outgoingNodeId, nextPacket };
}

function toRouteHints(
  read: PeeledPayload,
  hints: NonNullable<TrampolinePayload['invoiceRoutingInfo']>,
  amounts: Amounts,
): TrampolineInstruction {
  const { outgoingNodeId: nodeId, recipientFeatures, paymentMetadata } = read.payload;
  const secret = invoiceSecret(read.payload, amounts);
  // One of the two says where the payment goes.
  if (read.payload.recipientBlindedPaths !== undefined) return lacking(read, 'recipientBlindedPaths');
  if (secret === undefined) return lacking(read, 'paymentData');
  if (nodeId === undefined || !read.secp.isPoint(nodeId)) return lacking(read, 'outgoingNodeId');
  const features = trimFeatures(recipientFeatures ?? NO_FEATURES);
  const routeHints = usableHints(read.secp, hints);
  const recipient = { kind: 'routeHints', nodeId, ...secret, features, routeHints } as const;
  return {
    kind: 'relayToRecipient',
    ...amounts,
    recipient: { ...recipient, ...(paymentMetadata && { paymentMetadata }) },
  };
}

function toBlindedPaths(
  read: PeeledPayload,
  named: NonNullable<TrampolinePayload['recipientBlindedPaths']>,
  amounts: Amounts,
): TrampolineInstruction {
  const { outgoingNodeId, recipientFeatures } = read.payload;
  const paths = usablePaths(read.secp, named);
  if (paths.length === 0) return lacking(read, 'recipientBlindedPaths');
  if (outgoingNodeId !== undefined) return lacking(read, 'outgoingNodeId');
  const features = trimFeatures(recipientFeatures ?? NO_FEATURES);
  return { kind: 'relayToRecipient', ...amounts, recipient: { kind: 'blindedPaths', features, paths } };
}

function receive(read: PeeledPayload, amounts: Amounts): TrampolineInstruction {
  const { payload, entry, htlc } = read;
  const { paymentMetadata } = payload;
  const secret = invoiceSecret(payload, amounts);
  if (secret === undefined) return lacking(read, 'paymentData');
  if (payload.outgoingNodeId !== undefined) return lacking(read, 'outgoingNodeId');
  const { cltvExpiry } = htlc;
  if (entry.outgoingCltvValue < amounts.outgoingCltvValue)
    return fail({ kind: 'final_incorrect_cltv_expiry', cltvExpiry });
  if (entry.totalMsat < amounts.amtToForward)
    return fail({ kind: 'final_incorrect_htlc_amount', incomingHtlcAmt: entry.totalMsat });
  return { kind: 'receive', ...amounts, ...secret, ...(paymentMetadata && { paymentMetadata }) };
}

/** Without a total the amount is all (as deployed); one that is less, or that nobody has, is none. */
function invoiceSecret(
  { paymentData }: TrampolinePayload,
  { amtToForward }: Amounts,
): { readonly paymentSecret: Uint8Array; readonly totalMsat: bigint } | undefined {
  if (paymentData === undefined) return undefined;
  const { paymentSecret } = paymentData;
  const totalMsat = paymentData.totalMsat === 0n ? amtToForward : paymentData.totalMsat;
  return totalMsat < amtToForward || totalMsat > MAX_MSAT ? undefined : { paymentSecret, totalMsat };
}

function blinded({ entry, peeled, payload }: PeeledPayload): TrampolineInstruction {
  const { amtToForward } = payload;
  // The proposal's own vector leaves the total out where it is the amount.
  const isFinal = peeled.kind === 'final' && amtToForward !== undefined;
  const whole = isFinal ? { totalAmountMsat: amtToForward, ...payload } : payload;
  const instruction = hopInstruction(whole, { onion: peeled.kind, pathKey: entry.pathKey });
  if (instruction.kind === 'blindedRelay' && peeled.kind === 'forward')
    return { ...instruction, nextPacket: peeled.nextPacket };
  if (instruction.kind !== 'blindedReceive') return invalidBlinding(entry);
  const isLess = entry.outgoingCltvValue < instruction.outgoingCltvValue || entry.totalMsat < instruction.amtToForward;
  if (isLess || instruction.totalAmountMsat > MAX_MSAT) return invalidBlinding(entry);
  const { payload: _, ...received } = instruction;
  return received;
}

/** BIP 65: what is not less is a time and no height. */
const LOCKTIME_THRESHOLD = 500_000_000;
const NO_FEATURES = new Uint8Array(0);

export const fail = (failure: Failure): TrampolineInstruction => ({ kind: 'fail', failure });

export const invalid = (type: bigint, offset: number = 0): TrampolineInstruction =>
  fail({ kind: 'invalid_onion_payload', type, offset });

/** For a field that is missing, not allowed here, or not what it has to be. */
const lacking = ({ entry }: PeeledPayload, field: keyof TrampolinePayload): TrampolineInstruction =>
  invalid(trampolineDialects[entry.dialect].payload.typeOf(field));

export const invalidBlinding = ({ packet }: TrampolineEntry): TrampolineInstruction =>
  fail({ kind: 'invalid_onion_blinding', sha256OfOnion: sha256(packet) });
