import { describe, expect, it } from 'vitest';
import { replacementsOf } from '../../../src/app/replacements.ts';
import type { Activity } from '../../../worker/client/api.ts';

const waiting: Activity = {
  id: 'fe'.repeat(32),
  kind: 'onchainSent',
  state: 'pending',
  amountMsat: 50_000_000n,
  feeMsat: 282_000n,
  description: 'bc1qfirst',
  at: 0,
};

describe('what can be done about a payment', () => {
  it.each([
    ['one that waits', {}, ['speedUp', 'cancel']],
    ['one to this wallet, as a sweep or a cancellation', { amountMsat: 0n }, ['speedUp']],
    ['one from others', { kind: 'onchainReceived' }, ['speedUpIncoming']],
    ['one in a block', { state: 'succeeded' }, []],
    ['one that was replaced', { state: 'replaced' }, []],
    ['one from others in a block', { kind: 'onchainReceived', state: 'succeeded' }, []],
    ['one over Lightning', { kind: 'sent' }, []],
  ] as const)('%s', (_name, change, ways) => expect(replacementsOf({ ...waiting, ...change })).toEqual(ways));
});
