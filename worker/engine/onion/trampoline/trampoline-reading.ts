import type { Secp256k1 } from '../../primitives/secp256k1.ts';
import { failureOfMalformed, type Failure } from '../failure-message.ts';
import type { TrampolineEntry } from '../hop-instruction.ts';
import { blindedEcdh } from '../route-blinding.ts';
import { peelOnion, type PeeledOnion } from '../sphinx.ts';
import { trampolineDialects } from './trampoline-dialect.ts';
import {
  fail,
  instructionOf,
  invalid,
  invalidBlinding,
  type IncomingHtlc,
  type TrampolineInstruction,
} from './trampoline-instruction.ts';

/** What we found in a trampoline onion. */
export interface TrampolineReading {
  readonly instruction: TrampolineInstruction;
  /** What we share with whoever built the onion, for failures; absent where it was not built for us. */
  readonly sharedSecret?: Uint8Array;
}

interface OnionReader {
  readonly secp: Secp256k1;
  /** ECDH with our node secret. */
  readonly nodeSecretEcdh: (point: Uint8Array) => Uint8Array;
}

/** Peels a trampoline onion and checks what is in it. Whatever others wrote, the answer is a value. */
export function readTrampoline(reader: OnionReader, entry: TrampolineEntry, htlc: IncomingHtlc): TrampolineReading {
  const reading = read(reader, entry, htlc);
  // Behind the introduction node of a blinded path no failure says more than that there was one (BOLT proposal 836).
  const isSilent = entry.pathKey !== undefined && reading.instruction.kind === 'fail';
  return isSilent ? { ...reading, instruction: invalidBlinding(entry) } : reading;
}

function read(reader: OnionReader, entry: TrampolineEntry, htlc: IncomingHtlc): TrampolineReading {
  const stolen = lessThanPromised(entry, htlc);
  if (stolen !== undefined) return { instruction: fail(stolen) };
  if (entry.pathKey !== undefined && !reader.secp.isPoint(entry.pathKey))
    return { instruction: invalidBlinding(entry) };
  const peeled = peeledFor(reader, entry, htlc.paymentHash);
  if (peeled.kind === 'malformed') return { instruction: fail(malformed(peeled)) };
  const { sharedSecret } = peeled;
  if (peeled.kind === 'unreadable') return { sharedSecret, instruction: invalid(0n) };
  const decoded = trampolineDialects[entry.dialect].payload.decode(peeled.payload);
  if (decoded.kind === 'invalid') return { sharedSecret, instruction: invalid(decoded.type, decoded.offset) };
  return { sharedSecret, instruction: instructionOf({ ...reader, entry, htlc, peeled, payload: decoded.payload }) };
}

/** What the previous node had to pass on, and has kept (BOLT 4, Payload for the Last Node). */
function lessThanPromised(
  { amtToForward, outgoingCltvValue }: TrampolineEntry,
  htlc: IncomingHtlc,
): Failure | undefined {
  const { amountMsat: incomingHtlcAmt, cltvExpiry } = htlc;
  if (incomingHtlcAmt < amtToForward) return { kind: 'final_incorrect_htlc_amount', incomingHtlcAmt };
  return cltvExpiry < outgoingCltvValue ? { kind: 'final_incorrect_cltv_expiry', cltvExpiry } : undefined;
}

function peeledFor(
  { secp, nodeSecretEcdh }: OnionReader,
  entry: TrampolineEntry,
  paymentHash: Uint8Array,
): PeeledOnion {
  const { packet, pathKey } = entry;
  const ecdh = pathKey === undefined ? nodeSecretEcdh : blindedEcdh(secp, nodeSecretEcdh, pathKey);
  return peelOnion(secp, { nodeSecretEcdh: ecdh, packet, associatedData: paymentHash });
}

/**
 * The outer onion was right, so that its failure can be read: update_fail_malformed_htlc would tell the previous node that
 * its own was not, with a hash that it does not know.
 */
const malformed = ({ failureCode, sha256OfOnion }: Extract<PeeledOnion, { readonly kind: 'malformed' }>): Failure =>
  failureOfMalformed(failureCode, sha256OfOnion) ?? { kind: 'permanent_node_failure' };
