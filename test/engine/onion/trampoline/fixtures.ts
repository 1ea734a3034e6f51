import { fromHex } from '../../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import { hopInstruction, type TrampolineEntry } from '../../../../worker/engine/onion/hop-instruction.ts';
import { decodePayload } from '../../../../worker/engine/onion/payloads.ts';
import { peelOnion, type OnionHop } from '../../../../worker/engine/onion/sphinx.ts';
import {
  readTrampoline,
  type TrampolineReading,
} from '../../../../worker/engine/onion/trampoline/trampoline-reading.ts';
import deployed from '../../../vectors/trampoline-deployed.json' with { type: 'json' };
import { ecdhWith, unframed } from '../fixtures.ts';

/** The secrets of the vectors' nodes. */
export const nodeSecrets = {
  bob: fromHex('42'.repeat(32)),
  carol: fromHex('43'.repeat(32)),
  dave: fromHex('44'.repeat(32)),
  eve: fromHex('45'.repeat(32)),
} as const;

/** The secret of a node by its id, for the vectors of what is deployed. */
export function secretOf(nodeId: string): Uint8Array {
  const hop = deployed.cases.flatMap(({ trampolineHops }) => trampolineHops).find((each) => each.nodeId === nodeId);
  if (hop === undefined) throw new Error(`no secret of ${nodeId}`);
  return fromHex(hop.nodeSecret);
}

/** What the last hop of an outer onion finds in its payload, which has its length in front. */
export function entryOf(framedPayload: string): TrampolineEntry {
  const decoded = decodePayload(unframed(framedPayload));
  if (decoded.kind !== 'payload') throw new Error(`record ${decoded.type} is invalid`);
  const instruction = hopInstruction(decoded.payload, { onion: 'final', pathKey: undefined });
  if (instruction.kind !== 'trampoline') throw new Error(`no trampoline onion: ${instruction.kind}`);
  return instruction;
}

/** The reading of a node, of an HTLC that has what the outer onion says. */
export function readBy(
  nodeSecret: Uint8Array,
  entry: TrampolineEntry,
  paymentHash: Uint8Array,
  htlc: Partial<{ readonly amountMsat: bigint; readonly cltvExpiry: number }> = {},
): TrampolineReading {
  const promised = { amountMsat: entry.amtToForward, cltvExpiry: entry.outgoingCltvValue };
  const reader = { secp, nodeSecretEcdh: ecdhWith(nodeSecret) };
  return readTrampoline(reader, entry, { ...promised, ...htlc, paymentHash });
}

/** The payload that a node finds in an outer onion, with what it shares with its sender. */
export function peeledBy(nodeSecret: Uint8Array, packet: Uint8Array, paymentHash: Uint8Array) {
  const peeled = peelOnion(secp, { nodeSecretEcdh: ecdhWith(nodeSecret), packet, associatedData: paymentHash });
  if (peeled.kind !== 'final' && peeled.kind !== 'forward') throw new Error(`not for this node: ${peeled.kind}`);
  return peeled;
}

/** A hop of an onion in BOLT proposal 836's vectors, which have two ways to write it down. */
type ProposedHop =
  | { readonly nodeId: string; readonly payload: { readonly hex: string } }
  | { readonly pubkey: string; readonly encodedTlvs: string };

export const proposedHop = (hop: ProposedHop): OnionHop =>
  'pubkey' in hop
    ? { nodeId: fromHex(hop.pubkey), payload: unframed(hop.encodedTlvs) }
    : { nodeId: fromHex(hop.nodeId), payload: unframed(hop.payload.hex) };
