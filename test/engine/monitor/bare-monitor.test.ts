import { expect, it } from 'vitest';
import { bareMonitor, unknownCommitments } from '../../../worker/engine/monitor/bare-monitor.ts';
import { msat } from '../../../worker/engine/primitives/units.ts';
import { PARAMS } from './samples.ts';

it('a channel of which only the parameters are left is worth what we had, and the rest is theirs', () => {
  const monitor = bareMonitor(PARAMS, unknownCommitments(PARAMS, msat(123_456_789n)));
  const { toHolderMsat, toCounterpartyMsat, htlcs } = monitor.holderCommitment.spec;
  expect([toHolderMsat, toCounterpartyMsat, htlcs]).toEqual([123_456_789n, 876_543_211n, []]);
  expect(monitor.counterpartyCommitments.map(({ spec }) => spec)).toEqual([monitor.holderCommitment.spec]);
  // Whatever closes it is newer than anything that is known.
  expect(monitor.counterpartyCommitments.map(({ number }) => number)).toEqual([0]);
});
