import { describe, expect, it } from 'vitest';
import { activityText, activityWords } from '../../../src/app/activity-words.ts';
import type { Activity } from '../../../worker/client/api.ts';
import { FakeWallet } from '../fake-wallet.ts';

const NOW = Date.UTC(2026, 4, 17, 12, 0);

const paid: Activity = {
  id: 'fe'.repeat(32),
  kind: 'onchainSent',
  state: 'pending',
  amountMsat: 50_000_000n,
  feeMsat: 282_000n,
  description: 'bc1qfirst',
  at: NOW,
};

const words = (change: Partial<Activity>): ReturnType<typeof activityWords> => {
  const { title, subtitle, recipients } = activityWords({ ...paid, ...change }, NOW);
  return { title, subtitle: subtitle.replaceAll('\u00a0', ' '), recipients };
};

describe('the words for an activity', () => {
  it('say what it is', () => {
    const texts = new FakeWallet().activity({ limit: 10 }).map(activityText);
    expect(texts).toEqual(['Sending', 'Received', 'Sent', 'Not sent', 'Invoice, unpaid', 'Received on-chain']);
  });

  it('name an on-chain payment by what it is, and its recipient below', () => {
    expect(words({})).toEqual({
      title: 'Sent on-chain, unconfirmed',
      subtitle: 'just now · fee 282 sat',
      recipients: ['bc1qfirst'],
    });
  });

  it('name it by its label where it has one, and keep the recipient', () => {
    expect(words({ label: 'Rent', state: 'succeeded' })).toEqual({
      title: 'Rent',
      subtitle: 'Sent on-chain · just now · fee 282 sat',
      recipients: ['bc1qfirst'],
    });
  });

  it('have each of several recipients', () => {
    expect(words({ description: 'bc1qa, bc1qb, bc1qc' }).recipients).toEqual(['bc1qa', 'bc1qb', 'bc1qc']);
  });

  it('do not say that somebody was paid where only the fee is gone', () => {
    expect(words({ amountMsat: 0n })).toEqual({
      title: 'Moved within this wallet, unconfirmed',
      subtitle: 'just now',
      recipients: [],
    });
    expect(words({ amountMsat: 0n, state: 'failed' }).title).toBe('Not sent on-chain');
    expect(words({ amountMsat: 0n, state: 'replaced' }).title).toBe('Replaced by another payment');
  });

  it('name coins that came by the label of their address', () => {
    const came = { kind: 'onchainReceived', description: '', feeMsat: 0n, state: 'succeeded' } as const;
    expect(words({ ...came, label: 'Ada' })).toEqual({
      title: 'Ada',
      subtitle: 'Received on-chain · just now',
      recipients: [],
    });
  });
});
