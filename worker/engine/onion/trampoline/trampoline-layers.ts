import type { Failure } from '../failure-message.ts';
import { buildReturnPacket, wrapReturnPacket, type ReturnPacket } from '../failures.ts';
import { wrapFulfillment, type Fulfillment } from '../fulfillment.ts';
import type { TrampolineDialect } from '../hop-instruction.ts';
import { trampolineDialects } from './trampoline-dialect.ts';

/** What a trampoline node, or a payee behind one, shares with those who built the onions of an HTLC. */
export interface TrampolineLayers {
  readonly outerSecret: Uint8Array;
  /** Absent where the trampoline onion was not for the node. */
  readonly trampolineSecret?: Uint8Array;
  /** Since this HTLC was there, and since all parts of the payment were. */
  readonly holdTimeMs: number;
  readonly trampolineHoldTimeMs: number;
}

/** A failure of our own, for the part of a payment to us that an HTLC is. */
export function failTrampoline(dialect: TrampolineDialect, layers: TrampolineLayers, failure: Failure): ReturnPacket {
  const { outerSecret, trampolineSecret, holdTimeMs, trampolineHoldTimeMs } = layers;
  if (trampolineSecret === undefined || trampolineDialects[dialect].failureLayers === 'outer')
    return buildReturnPacket(outerSecret, failure, holdTimeMs);
  return wrapReturnPacket(outerSecret, buildReturnPacket(trampolineSecret, failure, trampolineHoldTimeMs), holdTimeMs);
}

/** A failure from behind us for the sender of the payment, without the layers of our own outer onion (BOLT proposal 836). */
export function passOnFailure(layers: Required<TrampolineLayers>, unwrapped: ReturnPacket): ReturnPacket {
  const { outerSecret, trampolineSecret, holdTimeMs, trampolineHoldTimeMs } = layers;
  return wrapReturnPacket(outerSecret, wrapReturnPacket(trampolineSecret, unwrapped, trampolineHoldTimeMs), holdTimeMs);
}

/**
 * What comes with a preimage gets both layers, whatever the dialect: eclair does so. A payee adds them to nothing
 * (`wrapFulfillment`).
 */
export function wrapTrampolineFulfillment(layers: Required<TrampolineLayers>, behind: Fulfillment): Fulfillment {
  const { outerSecret, trampolineSecret, holdTimeMs, trampolineHoldTimeMs } = layers;
  return wrapFulfillment(outerSecret, wrapFulfillment(trampolineSecret, behind, trampolineHoldTimeMs), holdTimeMs);
}
