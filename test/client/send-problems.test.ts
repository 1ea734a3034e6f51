import { describe, expect, it } from 'vitest';
import { problemOf } from '../../worker/client/send-problems.ts';
import type { OnchainSend } from '../../worker/client/onchain-send.ts';
import type { Standing } from '../../worker/edges/chain/propagation.ts';

const send: OnchainSend = {
  txid: '07'.repeat(32),
  rawTx: Uint8Array.of(1),
  address: 'bcrt1',
  amountSat: 1_000n,
  feeSat: 10n,
  at: 1_700_000_000_000,
  fate: { kind: 'waiting' },
};
const refused = (reason: 'feeTooLow' | 'dust' | 'invalid'): Standing => ({
  kind: 'refused',
  refusal: { kind: 'rejected', reason, words: '' },
  lasting: false,
});

describe('what is said of a payment that servers refuse', () => {
  it.each(['feeTooLow', 'dust', 'invalid'] as const)(
    'tells nobody to pay again before it is taken back, for both could arrive: %s',
    (reason) => {
      const again = /To pay, send/;
      expect(problemOf(send, refused(reason))?.message).toMatch(/It is tried again\.$/);
      expect(problemOf(send, refused(reason))?.message).not.toMatch(again);
      expect(problemOf({ ...send, fate: { kind: 'refused', reason } }, refused(reason))?.message).toMatch(again);
    },
  );

  it('is nothing once another has taken its place, for then it is tried no more', () => {
    const replaced: OnchainSend = { ...send, fate: { kind: 'replaced', by: '08'.repeat(32) } };
    expect(problemOf(replaced, refused('feeTooLow'))).toBeUndefined();
    expect(problemOf(replaced, { kind: 'unseen' })).toBeUndefined();
  });
});
