import { describe, expect, it } from 'vitest';
import {
  chainText,
  channelText,
  eventText,
  exactMsatText,
  feerateText,
  grouped,
  msatText,
  parseSat,
  readFeerate,
  shortId,
  timeText,
} from '../../../src/app/format.ts';
import { ALICE, channel } from '../fake-wallet.ts';

const plain = (text: string): string => text.replaceAll('\u202f', '_').replaceAll('\u00a0', ' ');

describe('a feerate', () => {
  it.each([
    ['', {}],
    ['  ', {}],
    ['1', { feeratePerVbyte: 1 }],
    [' 12.5 ', { feeratePerVbyte: 12.5 }],
    ['1,25', { feeratePerVbyte: 1.25 }],
    ['1000', { feeratePerVbyte: 1_000 }],
    ['0.9', undefined],
    ['1000.1', undefined],
    ['1e3', undefined],
    ['-2', undefined],
  ])('%j is read as %s', (text, feerate) => expect(readFeerate(text)).toEqual(feerate));

  it('is printed to a tenth', () => {
    expect(plain(feerateText(4))).toBe('4 sat/vB');
    expect(plain(feerateText(2.0471))).toBe('2 sat/vB');
    expect(plain(feerateText(12.25))).toBe('12.3 sat/vB');
  });
});

describe('amounts', () => {
  it.each([
    [0n, '0'],
    [999n, '999'],
    [1000n, '1_000'],
    [1_234_567n, '1_234_567'],
    [2_100_000_000_000_000n, '2_100_000_000_000_000'],
  ])('%i is grouped as %s', (value, text) => {
    expect(plain(grouped(value))).toBe(text);
  });

  it('round balances down', () => {
    expect(plain(msatText(1_999_999n))).toBe('1_999 sat');
    expect(plain(msatText(999n))).toBe('0 sat');
  });

  it.each([
    [1_000n, '1 sat'],
    [1_250n, '1.25 sat'],
    [1n, '0.001 sat'],
    [1_234_567_100n, '1_234_567.1 sat'],
  ])('%i msat has all its digits: %s', (msat, text) => {
    expect(plain(exactMsatText(msat))).toBe(text);
  });

  it.each([
    ['25000', 25_000n],
    [' 25 000 ', 25_000n],
    ['1\u202f250\u202f000', 1_250_000n],
    ['0', 0n],
    ['', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['1,000', undefined],
    ['1e6', undefined],
    ['0x10', undefined],
    ['99999999999999999', undefined],
  ])('reads %j as %s', (text, sat) => {
    expect(parseSat(text)).toBe(sat);
  });

  it('read back what they print', () => {
    for (const sat of [0n, 1n, 12_345n, 2_099_999_997_690_000n]) expect(parseSat(grouped(sat))).toBe(sat);
  });
});

describe('words', () => {
  it('shorten ids at both ends', () => {
    expect(shortId(ALICE)).toBe('02a1a1a1…a1a1a1a1');
    expect(shortId('short')).toBe('short');
  });

  it('tell when', () => {
    const now = Date.UTC(2026, 4, 17, 12);
    expect(timeText(0, now)).toBe('');
    expect(timeText(now - 59_000, now)).toBe('just now');
    expect(timeText(now + 5_000, now)).toBe('just now');
    expect(timeText(now - 5 * 60_000, now)).toBe('5 min ago');
    expect(timeText(now - 23 * 3_600_000, now)).toBe('23 h ago');
    expect(timeText(now - 48 * 3_600_000, now)).not.toContain('2026');
    expect(timeText(now - 400 * 86_400_000, now)).toContain('2025');
  });

  it('tell the state of a channel', () => {
    expect(channelText(channel({}))).toBe('Ready');
    expect(channelText(channel({ usable: false }))).toBe('Ready, but the peer is not connected');
    const waiting = channel({ state: 'confirming', confirmations: 1, confirmationsRequired: 3 });
    expect(channelText(waiting)).toBe('Waiting for the chain: 1 of 3 confirmations');
  });

  it('tell the state of the chain', () => {
    expect(plain(chainText({ kind: 'synced', blockHeight: 850_123 }))).toBe('Up to date at block 850_123');
    const servers = { agreeing: 2, of: 3 };
    const several = chainText({ kind: 'synced', blockHeight: 850_123, servers });
    expect(plain(several)).toBe('Up to date at block 850_123, as 2 of 3 servers say');
    expect(chainText({ kind: 'synced', blockHeight: 1, unseen: 1 })).toMatch(/A transaction of yours .* is sent again/);
    expect(chainText({ kind: 'synced', blockHeight: 1, unseen: 2 })).toMatch(/2 transactions .* are sent again/);
    const stale = chainText({ kind: 'synced', blockHeight: 1, stale: { minutes: 75, stopped: false } });
    expect(stale).toMatch(/^At block 1\. The newest block is 75 minutes old.*clock wrong$/);
    const stopped = chainText({ kind: 'synced', blockHeight: 1, stale: { minutes: 130, stopped: true } });
    expect(stopped).toMatch(/Until newer ones come no payments/);
    const long = chainText({ kind: 'syncing', blockHeight: 0, headerHeight: 850_123 });
    expect(plain(long)).toBe('Catching up with the chain: block 850_123');
    const problem = { code: 'ChainSourceUnavailable', message: '', details: {} };
    const partly = chainText({
      kind: 'syncing',
      blockHeight: 850_123,
      problem,
      stale: { minutes: 75, stopped: false },
    });
    expect(plain(partly)).toMatch(
      /^At block 850_123\. The newest block is 75 minutes old.*\. Some addresses .* tried again\.$/,
    );
    expect(chainText({ kind: 'unreachable', blockHeight: 1 })).toContain('does not answer');
  });

  it.each([
    ['paymentReceived', '', 'Received 5_000 sat.'],
    ['paymentFailed', 'No route.', 'A payment of 5_000 sat was not sent. No route.'],
    ['channelClosed', 'The peer closed it.', 'A channel was closed. The peer closed it.'],
  ] as const)('tell what happened: %s', (kind, message, words) => {
    const event = { id: '1', kind, subject: '', amountMsat: 5_000_000n, message, at: 0 };
    expect(plain(eventText(event))).toBe(words);
  });
});
