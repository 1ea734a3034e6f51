import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../worker/engine/onion/failure-message.ts';
import { wrapFailure } from '../../../worker/engine/onion/failures.ts';
import { fromUtf8, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { MAX_CLTV_EXPIRY_DELTA } from '../../../worker/engine/primitives/lock-times.ts';
import { pathFeeMsat } from '../../../worker/engine/routing/path.ts';
import type { HintHop } from '../../../worker/engine/routing/route.ts';
import { AMOUNT, channel, HEIGHT, invoiceWith, PAYEE_ID, Payer, PEER, PREIMAGE, RELAY, step } from './payer.ts';

const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;

/** What comes of it, or the code of the refusal. */
function answer(work: () => bigint): bigint | string {
  try {
    return work();
  } catch (error) {
    if (error instanceof GlowwormError && error.code !== 'InvariantBroken') return error.code;
    throw error;
  }
}

const PASSING: Failure = { kind: 'temporary_channel_failure', channelUpdate: new Uint8Array(0) };
const REJECTED: Failure = { kind: 'incorrect_or_unknown_payment_details', htlcMsat: AMOUNT, height: HEIGHT };
const TIMED_OUT: Failure = { kind: 'mpp_timeout' };

const direct = (count: number, availableMsat: bigint) =>
  Array.from({ length: count }, (_, index) => channel('abcdef'[index] ?? '0', availableMsat, { peer: PAYEE_ID }));

/** Ways from our peer to the payee, by their fees. */
const ways = (...fees: readonly number[]): HintHop[][] =>
  fees.map((feeBaseMsat, index) => [step({ feeBaseMsat, shortChannelId: BigInt(index + 1) })]);

/** A payment in two parts that are both out. */
function inParts(): Payer {
  const payer = new Payer(direct(3, 250_000n));
  payer.send(invoiceWith([]));
  expect(payer.offered).toHaveLength(2);
  return payer;
}

describe('a payment and its quote', () => {
  const longHint = (steps: number): HintHop[][] => [
    Array.from({ length: steps }, (_, index) => step({ nodeId: index === 0 ? PEER : RELAY, cltvExpiryDelta: 6 })),
  ];
  const locked = [Array.from({ length: 10 }, () => step({ cltvExpiryDelta: 65_535 }))];
  const offline = (): Payer => new Payer([channel('a', 10n * AMOUNT, { isOffline: true })]);
  const usable = (): Payer => new Payer([channel('a', 10n * AMOUNT)]);
  const dusty = (): Payer => new Payer([channel('a', 10n * AMOUNT, { isRefusing: true })]);
  const full = { paymentMetadata: new Uint8Array(639) };

  it.each([
    [100_000n, 10_000n],
    [505_000n, 10_100n],
    [5_000_000n, 100_000n],
  ])(
    'of %d msat may cost %d msat where nobody says otherwise: two per cent, or ten satoshi',
    (amountMsat, mostMsat) => {
      const payer = new Payer([channel('a', 2n * amountMsat)]);
      expect(payer.quote(invoiceWith(ways(0), { amountMsat }))).toEqual({ feeMsat: 0n, maxFeeMsat: mostMsat });
    },
  );

  it.each([
    ['hints that lock the money for years', usable, invoiceWith(locked), 'LockTimeTooLong'],
    [
      'a lock that fits alone but not with the way',
      usable,
      invoiceWith(ways(0), { minFinalCltvExpiryDelta: MAX_CLTV_EXPIRY_DELTA }),
      'LockTimeTooLong',
    ],
    ['more steps than an onion has room for', usable, invoiceWith(longHint(12), full), 'RouteTooLong'],
    ['a peer that is offline', offline, invoiceWith(ways(0)), 'PeerOffline'],
    ['enormous fees', usable, invoiceWith(ways(0xffff_ffff)), 'FeeTooHigh'],
    ['a channel that takes no HTLC now', dusty, invoiceWith(ways(0)), 'DustExposure'],
  ] as const)('are refused alike for %s', (_name, begin, invoice, expected) => {
    const payer = begin();
    expect(() => payer.quote(invoice)).toThrow(code(expected));
    expect(() => payer.send(invoice)).toThrow(code(expected));
    expect([payer.offered, payer.payments.all(), payer.records.size]).toEqual([[], [], 0]);
  });

  it('name the peer that is offline where it leads to the recipient, and nobody where none does', () => {
    expect(() => offline().quote(invoiceWith(ways(0)))).toThrow('is offline now');
    expect(() => offline().quote(invoiceWith([]))).toThrow('no channel with them is ready');
  });

  it('say in satoshi what the way costs and what is allowed', () => {
    const payer = usable();
    expect(() => payer.quote(invoiceWith(ways(0xffff_ffff)))).toThrow(
      /costs 4294968 sat in fees, and 10 sat are allowed/,
    );
    expect(() => payer.send(invoiceWith(ways(2_500)), 2_499n)).toThrow(/costs 3 sat in fees, and 2 sat/);
  });

  it('say what to do about a limit of the channel', () => {
    expect(() => dusty().quote(invoiceWith(ways(0)))).toThrow(/Try again/);
    expect(() => dusty().send(invoiceWith(ways(0)))).toThrow(/Try again/);
  });

  it('go with as many steps and as much metadata as fit', () => {
    const payer = usable();
    payer.send(invoiceWith(longHint(9), full));
    expect(payer.parts[0]?.hops).toHaveLength(10);
    const longest = usable();
    longest.send(invoiceWith(longHint(12)));
    expect(longest.parts[0]?.hops).toHaveLength(13);
  });

  it('leave out a channel that would refuse, and send no part where not all can go', () => {
    const payer = new Payer([channel('a', 2n * AMOUNT, { isRefusing: true }), channel('b', AMOUNT)]);
    payer.send(invoiceWith(ways(0)));
    expect(payer.offered.map(({ channelKey }) => channelKey[0])).toEqual(['b']);
    const partly = new Payer([channel('a', 300_000n), channel('b', 300_000n, { isRefusing: true })]);
    expect(() => partly.send(invoiceWith(ways(0)))).toThrow(code('DustExposure'));
    expect(partly.offered).toEqual([]);
  });

  it('agree on every invoice that can be written, and never go beyond a limit', () => {
    const extreme = (most: number): fc.Arbitrary<number> =>
      fc.oneof(fc.constantFrom(0, 1, most - 1, most), fc.nat({ max: most }), fc.nat({ max: 100 }));
    const anyStep = fc.record({
      nodeId: fc.constantFrom(PEER, PEER, RELAY, PAYEE_ID),
      shortChannelId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      feeBaseMsat: extreme(0xffff_ffff),
      feeProportionalMillionths: extreme(0xffff_ffff),
      cltvExpiryDelta: extreme(0xffff),
    });
    const anyInvoice = fc.record({
      hints: fc.array(fc.array(anyStep, { minLength: 1, maxLength: 12 }), { maxLength: 4 }),
      amountMsat: fc.oneof(fc.bigInt({ min: 1n, max: 10n ** 6n }), fc.bigInt({ min: 1n, max: 21n * 10n ** 17n })),
      minFinalCltvExpiryDelta: extreme(MAX_CLTV_EXPIRY_DELTA),
      metadataBytes: fc.nat({ max: 639 }),
    });
    fc.assert(
      fc.property(anyInvoice, ({ hints, metadataBytes, ...fields }) => {
        const invoice = invoiceWith(hints, { ...fields, paymentMetadata: new Uint8Array(metadataBytes) });
        const payer = new Payer([channel('a', 10n ** 9n), channel('b', 10n ** 6n)]);
        const quoted = answer(() => payer.quote(invoice).feeMsat);
        const sent = answer(() => {
          payer.send(invoice);
          return payer.offered.reduce((sum, { htlc }) => sum + htlc.amountMsat, 0n) - fields.amountMsat;
        });
        expect(sent).toEqual(quoted);
        for (const { htlc } of payer.offered)
          expect(htlc.cltvExpiry).toBeLessThanOrEqual(HEIGHT + MAX_CLTV_EXPIRY_DELTA);
      }),
      { numRuns: 100 },
    );
  });

  it('count what another payment of the same moment has taken (S47)', () => {
    const payer = new Payer([channel('a', AMOUNT + 1_999n)]);
    const second = invoiceWith(ways(0), { paymentHash: sha256(new Uint8Array(32)), amountMsat: 2_000n });
    payer.quote(second);
    payer.send(invoiceWith(ways(0)));
    expect(() => payer.send(second)).toThrow('At most 1 sat');
    expect(() => payer.send(invoiceWith(ways(0)))).toThrow(code('PaymentPending'));
    expect(payer.offered).toHaveLength(1);
  });
});

describe('a failure on the way', () => {
  const begin = (hints: readonly (readonly HintHop[])[] = ways(0, 10)): Payer => {
    const payer = new Payer([channel('a', 10n * AMOUNT)]);
    payer.send(invoiceWith(hints));
    return payer;
  };
  const overRelay = (scids: readonly [bigint, bigint]): HintHop[] => [
    step({ shortChannelId: scids[0] }),
    step({ nodeId: RELAY, shortChannelId: scids[1] }),
  ];

  it.each([
    ['a channel without room', PASSING],
    ['terms that changed', { kind: 'fee_insufficient', htlcMsat: 1n, channelUpdate: new Uint8Array(0) }],
    ['a code that nobody knows', { kind: 'unknown', code: 0x4777, data: new Uint8Array(0) }],
    ['what only the recipient can know', REJECTED],
    ['a time-out that is not its own', TIMED_OUT],
  ] as const)('is tried by another way after %s', (_name, failure) => {
    const payer = begin();
    payer.fail(failure, 0);
    expect(payer.offered).toHaveLength(2);
    expect(payer.parts[0]?.hops[1]?.shortChannelId).toBe(2n);
  });

  it('is not tried again once the invoice has expired', () => {
    const payer = begin();
    payer.now += 3_600_001;
    payer.fail(PASSING, 0);
    expect(payer.offered).toHaveLength(1);
    expect(payer.payment?.state).toMatchObject({ kind: 'failed', failure: { code: 'PaymentNoLiquidity' } });
  });

  it('blames a node on the way for what the recipient did not say', () => {
    const payer = begin(ways(0));
    payer.fail(REJECTED, 0);
    expect(payer.payment?.state).toMatchObject({ kind: 'failed', failure: { code: 'PaymentFailedOnTheWay' } });
  });

  it('is final where the recipient has rejected the payment', () => {
    const payer = begin();
    payer.fail(REJECTED, 1);
    expect(payer.payment?.state).toMatchObject({ kind: 'failed', failure: { code: 'PaymentRejected' } });
    expect(payer.offered).toHaveLength(1);
  });

  it('leaves out the channel behind a node, or every one of a node that fails as a whole', () => {
    const hints = [overRelay([1n, 2n]), overRelay([3n, 4n])];
    const oneChannel = begin(hints);
    oneChannel.fail(PASSING, 1);
    expect(oneChannel.parts[0]?.hops.map(({ shortChannelId }) => shortChannelId)).toEqual([0n, 3n, 4n]);
    const wholeNode = begin(hints);
    wholeNode.fail({ kind: 'permanent_node_failure' }, 1);
    expect(wholeNode.payment?.state).toMatchObject({ kind: 'failed', failure: { code: 'PaymentFailedOnTheWay' } });
    expect(wholeNode.offered).toHaveLength(1);
  });

  it('with an index beyond the way is nobody’s (S44)', () => {
    const payer = begin();
    const beyond = wrapFailure(new Uint8Array(32).fill(7), payer.packet(PASSING, 1));
    payer.failWith(beyond);
    expect(payer.payment?.state).toMatchObject({ kind: 'failed', failure: { code: 'PaymentFailedUnreadably' } });
  });

  it.each([0, 1, 31, 291, 65_000])('of %i bytes that say nothing ends the payment', (length) => {
    const payer = begin();
    payer.failWith(new Uint8Array(length).fill(3));
    expect(payer.payment?.state).toMatchObject({ kind: 'failed', failure: { code: 'PaymentFailedUnreadably' } });
    expect(payer.events).toEqual(['paymentFailed']);
  });

  it('that comes twice is counted once (S45)', () => {
    const payer = begin(ways(0, 10, 20));
    const first = payer.newest();
    const packet = payer.packet(PASSING, 0);
    payer.failWith(packet, first);
    payer.failWith(packet, first);
    expect(payer.offered).toHaveLength(2);
    expect(payer.payment).toMatchObject({ attempts: 2, state: { kind: 'pending' } });
  });
});

describe('a payment in parts', () => {
  it('is not failed while a part is out, and may not be sent again until then', () => {
    const payer = inParts();
    const [one, two] = payer.offered;
    payer.fail(REJECTED, 0, one);
    expect(payer.payment?.state.kind).toBe('pending');
    expect(payer.events).toEqual([]);
    expect(() => payer.send(invoiceWith([]))).toThrow(code('PaymentPending'));
    payer.fail(TIMED_OUT, 0, two);
    expect(payer.events).toEqual(['paymentFailed']);
    payer.send(invoiceWith([]));
    expect(payer.payment?.state.kind).toBe('pending');
  });

  it.each([
    ['in one run', (): void => undefined],
    ['after a start', (payer: Payer): void => payer.reload()],
  ])('tries no part again once one is lost, and tells why that one was: %s', (_name, between) => {
    const payer = inParts();
    const [one, two] = payer.offered;
    payer.fail(REJECTED, 0, one);
    between(payer);
    payer.fail(PASSING, 0, two);
    expect(payer.offered).toHaveLength(2);
    expect(payer.payment?.state).toMatchObject({ kind: 'failed', failure: { code: 'PaymentRejected' } });
  });

  it('stays paid when parts fail after the preimage, and is told once (S45)', () => {
    const payer = inParts();
    const [one, two] = payer.offered;
    const late = payer.packet(PASSING, 0, two);
    payer.fulfill(one);
    payer.fulfill(one);
    payer.failWith(late, two);
    payer.drop(two);
    expect(payer.payment?.state).toMatchObject({ kind: 'succeeded', preimage: PREIMAGE });
    expect([payer.events, payer.offered.length]).toEqual([['paymentSent'], 2]);
  });

  it('is paid where a preimage comes although it was given up', () => {
    const payer = inParts();
    const [one] = payer.offered;
    for (const offered of payer.offered.slice()) payer.fail(TIMED_OUT, 0, offered);
    expect(payer.payment?.state.kind).toBe('failed');
    payer.fulfill(one);
    expect(payer.payment?.state).toMatchObject({ kind: 'succeeded', preimage: PREIMAGE });
    expect(() => payer.send(invoiceWith([]))).toThrow(code('PaymentAlreadySent'));
  });

  it('always delivers its amount within its fees, and ends only when nothing is out', () => {
    const failures: Failure[] = [PASSING, REJECTED, TIMED_OUT, { kind: 'temporary_node_failure' }];
    const event = fc.record({
      kind: fc.constantFrom('fail', 'fail', 'fail', 'drop', 'reload', 'again', 'garbage'),
      which: fc.nat(9),
      failure: fc.constantFrom(...failures),
      hopIndex: fc.nat(1),
    });
    const setUp = fc.record({
      channels: fc.array(fc.bigInt({ min: 1n, max: 500_000n }), { minLength: 1, maxLength: 4 }),
      fees: fc.array(fc.nat({ max: 4_000 }), { minLength: 1, maxLength: 4 }),
      maxFeeMsat: fc.bigInt({ min: 0n, max: 9_000n }),
    });
    fc.assert(
      fc.property(setUp, fc.array(event, { maxLength: 12 }), ({ channels, fees, maxFeeMsat }, events) => {
        const payer = new Payer(channels.map((most, index) => channel('abcd'[index] ?? '', most)));
        const invoice = invoiceWith(ways(...fees));
        const refusable = (work: () => void): void => {
          try {
            work();
          } catch (error) {
            expect(['PaymentPending', 'InsufficientBalance', 'FeeTooHigh']).toContain(
              (error as { code?: string }).code,
            );
          }
        };
        refusable(() => payer.send(invoice, maxFeeMsat));
        for (const { kind, which, failure, hopIndex } of events) {
          const out = [...payer.out];
          const offered = out[which % Math.max(1, out.length)];
          if (kind === 'reload') payer.reload();
          else if (kind === 'again') refusable(() => payer.send(invoice, maxFeeMsat));
          else if (offered === undefined) continue;
          else if (kind === 'drop') payer.drop(offered);
          else if (kind === 'garbage') payer.failWith(new Uint8Array(40), offered);
          else payer.fail(failure, hopIndex, offered);
          check(payer, maxFeeMsat);
        }
      }),
      { numRuns: 60 },
    );
  });
});

function check(payer: Payer, maxFeeMsat: bigint): void {
  const state = payer.payment?.state;
  expect(payer.parts).toHaveLength(payer.out.size);
  if (state?.kind !== 'pending') return expect(payer.out.size).toBe(0);
  const delivered = state.parts.reduce((sum, { hops }) => sum + (hops.at(-1)?.amountMsat ?? 0n), 0n);
  if (state.failure === undefined) expect(delivered).toBe(AMOUNT);
  expect(delivered).toBeLessThanOrEqual(AMOUNT);
  expect(state.parts.reduce((sum, part) => sum + pathFeeMsat(part), 0n)).toBeLessThanOrEqual(maxFeeMsat);
}

describe('an HTLC that was never signed', () => {
  it('goes over another channel when its own has closed', () => {
    const payer = new Payer([channel('a', 10n * AMOUNT), channel('b', 5n * AMOUNT)]);
    payer.send(invoiceWith(ways(0)));
    payer.close('a');
    payer.drop();
    expect(payer.offered.map(({ channelKey }) => channelKey[0])).toEqual(['a', 'b']);
    payer.fulfill();
    expect(payer.events).toEqual(['paymentSent']);
  });

  it.each([
    ['in one run', (): void => undefined],
    ['after a start', (payer: Payer): void => payer.reload()],
  ])('fails its payment at once where no other channel is left, and the invoice can be paid later: %s', (_name, go) => {
    const payer = new Payer([channel('a', 10n * AMOUNT)]);
    payer.send(invoiceWith(ways(0)));
    payer.close('a');
    go(payer);
    payer.drop();
    expect(payer.payment?.state).toMatchObject({ kind: 'failed', failure: { code: 'PaymentNotSent' } });
    expect(payer.events).toEqual(['paymentFailed']);
    payer.channels.push(channel('b', 10n * AMOUNT));
    payer.send(invoiceWith(ways(0)));
    payer.fulfill();
    expect(payer.payment?.state.kind).toBe('succeeded');
  });

  it('leaves the payment to its other part', () => {
    const payer = inParts();
    const [one, two] = payer.offered;
    payer.close('a');
    payer.close('c');
    payer.drop(one);
    expect(payer.payment?.state.kind).toBe('pending');
    payer.fail(TIMED_OUT, 0, two);
    expect(payer.payment?.state).toMatchObject({ kind: 'failed', failure: { code: 'PaymentNotSent' } });
  });
});

describe('a payment of an invoice that is refused by now', () => {
  it('is read, has an onion that nobody can use, and fails when its HTLC does', () => {
    const payer = new Payer([channel('a', 10n * AMOUNT)]);
    payer.send(invoiceWith(ways(0)));
    const packet = payer.packet(PASSING, 0);
    const key = `pay/${toHex(sha256(PREIMAGE))}/invoice`;
    payer.records.set(key, fromUtf8('lnbcrt1 from before'));
    payer.reload();
    const { channelKey, htlc } = payer.newest();
    expect(payer.payments.onionOf(channelKey, htlc.id)).toEqual(new Uint8Array(1366));
    payer.failWith(packet);
    expect(payer.payment?.state).toMatchObject({ kind: 'failed', failure: { code: 'PaymentFailedUnreadably' } });
  });
});

describe('a payment whose record is damaged', () => {
  const HASH_KEY = `pay/${toHex(sha256(PREIMAGE))}`;

  it.each<[string, (records: Map<string, Uint8Array>) => void]>([
    ['is torn', (records) => void records.set(HASH_KEY, Uint8Array.of(2, 8, 1))],
    ['is gone', (records) => void records.delete(HASH_KEY)],
    ['has lost its invoice', (records) => void records.delete(`${HASH_KEY}/invoice`)],
  ])('and %s is not made a second time, also after another start', (_name, damage) => {
    const payer = new Payer([channel('a', 10n * AMOUNT)]);
    payer.send(invoiceWith(ways(0)));
    payer.fulfill();
    damage(payer.records);
    for (const start of [1, 2]) {
      payer.reload();
      expect([payer.payment, payer.log.length]).toEqual([undefined, start]);
      const again = expect.objectContaining({ code: 'PaymentDamaged' }) as Error;
      expect(() => payer.quote(invoiceWith(ways(0)))).toThrow(again);
      expect(() => payer.send(invoiceWith(ways(0)))).toThrow(again);
    }
    expect(payer.offered).toHaveLength(1);
  });

  it('costs no more fees where only their limit is damaged', () => {
    const payer = new Payer([channel('a', 10n * AMOUNT)]);
    payer.send(invoiceWith(ways(0)), 5_000n);
    payer.records.set(`${HASH_KEY}/maxFee`, Uint8Array.of(2, 8, 1));
    payer.reload();
    expect(payer.payment).toMatchObject({ maxFeeMsat: 0n });
  });
});
