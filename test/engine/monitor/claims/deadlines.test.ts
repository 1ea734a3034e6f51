import { describe, expect, it } from 'vitest';
import { htlcAtDeadline } from '../../../../worker/engine/monitor/claims/deadlines.ts';
import type { ChannelHtlc } from '../../../../worker/engine/transactions/channel-htlc.ts';
import { htlc, Kept, ours, preimage, revoked, theirs } from '../samples.ts';

/** A monitor with one HTLC that expires at 500, in the commitments that are named. */
function withHtlc(direction: ChannelHtlc['direction'], where: 'both' | 'theirs', isKnown: boolean): Kept['monitor'] {
  const kept = new Kept();
  const each = htlc(1n, direction);
  kept.update(...(where === 'both' ? [ours(1, [each])] : []), theirs(1, [each]));
  kept.update(revoked(0), ...(isKnown ? [preimage] : []));
  return kept.monitor;
}

describe('a channel has to be closed', () => {
  it.each(['both', 'theirs'] as const)(
    'three blocks after an HTLC of ours expired, in the commitments of %s',
    (where) => {
      const monitor = withHtlc('outbound', where, false);
      expect([502, 503].map((height) => htlcAtDeadline(monitor, height)?.id)).toEqual([undefined, 1n]);
    },
  );

  it('36 blocks before an HTLC expires whose preimage we know', () => {
    const monitor = withHtlc('inbound', 'both', true);
    expect([463, 464].map((height) => htlcAtDeadline(monitor, height)?.id)).toEqual([undefined, 1n]);
  });

  it('for no HTLC of the counterparty that we cannot take, and none of ours that it has paid', () => {
    expect(htlcAtDeadline(withHtlc('inbound', 'both', false), 1_000)).toBeUndefined();
    expect(htlcAtDeadline(withHtlc('outbound', 'both', true), 1_000)).toBeUndefined();
  });
});
