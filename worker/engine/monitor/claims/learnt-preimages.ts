import { toHex } from '../../primitives/bytes.ts';
import { sha256 } from '../../primitives/hash.ts';
import type { Transaction } from '../../transactions/transaction.ts';
import { knownSpecs, type ChannelMonitor } from '../channel-monitor.ts';

const PREIMAGE_BYTES = 32;

/**
 * Preimages that a transaction shows of HTLCs which we offered, by hash in hex: they are in the witness of whoever takes one
 * (BOLT 5, HTLC Output Handling), by whichever script and out of whichever commitment.
 */
export function learntPreimages(monitor: ChannelMonitor, { inputs }: Transaction): ReadonlyMap<string, Uint8Array> {
  const offered = new Set(
    knownSpecs(monitor).flatMap(({ htlcs }) =>
      htlcs.flatMap(({ direction, paymentHash }) => (direction === 'outbound' ? [toHex(paymentHash)] : [])),
    ),
  );
  const shown = inputs
    .flatMap(({ witness }) => witness.filter(({ length }) => length === PREIMAGE_BYTES))
    .map((preimage) => [toHex(sha256(preimage)), preimage] as const);
  return new Map(shown.filter(([hash]) => offered.has(hash) && !monitor.preimages.has(hash)));
}
