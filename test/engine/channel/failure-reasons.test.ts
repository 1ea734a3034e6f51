import { describe, expect, it } from 'vitest';
import { encodeOpenChannel } from '../../../worker/engine/channel/channel-records.ts';
import * as operation from '../../../worker/engine/channel/channel-operation.ts';
import type { MonitorStep } from '../../../worker/engine/monitor/monitor-update.ts';
import type { Message } from '../../../worker/engine/wire/message.ts';
import { exchange, openPair, passed } from './party.ts';

/** What the payer learns of a reason, and how long its record is while the failure is under way. */
function failedWith(reason: Uint8Array): { readonly heard: readonly MonitorStep[]; readonly recordBytes: number } {
  const { opener, fundee } = openPair();
  expect(opener.offer(50_000_000n)).toBeUndefined();
  exchange(opener, fundee);
  fundee.apply(operation.removeHtlc(fundee.state, { kind: 'fail', htlcId: 0n, reason: new Uint8Array(0) }));
  const message = { ...fundee.take('update_fail_htlc'), reason };
  passed(opener.receive(message));
  fundee.sign();
  passed(opener.receive(fundee.take('commitment_signed')));
  const recordBytes = encodeOpenChannel(opener.state, opener.signer.state).length;
  opener.sign();
  const answers: readonly Message[] = opener.outbox.splice(0);
  for (const answer of answers) passed(fundee.receive(answer));
  const { steps } = passed(opener.receive(fundee.take('revoke_and_ack')));
  return { heard: steps.filter(({ kind }) => kind === 'htlcResolved'), recordBytes };
}

const removal = (reason: Uint8Array): unknown =>
  expect.objectContaining({ resolution: { kind: 'failed', removal: { kind: 'fail', htlcId: 0n, reason } } });

describe('the reason of a failed HTLC', () => {
  it('is kept as long as the onion that it answers', () => {
    const reason = new Uint8Array(1366).fill(7);
    expect(failedWith(reason).heard).toEqual([removal(reason)]);
  });

  it('beyond that says nothing, and takes no room in the record', () => {
    const nothing = failedWith(new Uint8Array(0));
    for (const length of [1367, 65_000]) {
      const { heard, recordBytes } = failedWith(new Uint8Array(length).fill(7));
      expect(heard).toEqual([removal(new Uint8Array(0))]);
      expect(recordBytes).toBe(nothing.recordBytes);
    }
  });
});
