import type { TrampolineDialect } from '../hop-instruction.ts';
import type { HopPayload } from '../payloads.ts';
import { trampolineDialects } from './trampoline-dialect.ts';

/** What the next trampoline node, or a payee that is one, finds in the outer onion. */
export interface TrampolinePart {
  /** Of this part. */
  readonly amountMsat: bigint;
  readonly cltvExpiry: number;
  /** Of all parts to this node. */
  readonly totalMsat: bigint;
  /** 32 fresh random bytes, the same for all parts to this node: the invoice's would tell the node who is paid. */
  readonly paymentSecret: Uint8Array;
  readonly packet: Uint8Array;
  /** For the next node of a blinded path. */
  readonly pathKey?: Uint8Array;
}

/** The payload of an outer onion's last hop. Its HTLC has the same expiry, to the block (eclair refuses others). */
export function trampolineOuterPayload(dialect: TrampolineDialect, part: TrampolinePart): HopPayload {
  const { amountMsat, cltvExpiry, totalMsat, paymentSecret, packet, pathKey } = part;
  return {
    amtToForward: amountMsat,
    outgoingCltvValue: cltvExpiry,
    paymentData: { paymentSecret, totalMsat },
    [trampolineDialects[dialect].packetRecord]: packet,
    ...(pathKey && { currentPathKey: pathKey }),
  };
}
