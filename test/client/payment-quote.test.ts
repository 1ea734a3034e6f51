import { beforeEach, describe, expect, it } from 'vitest';
import { amountToPay, readInvoice } from '../../worker/client/invoice-payment.ts';
import { KeysManager } from '../../worker/engine/keys/keys-manager.ts';
import { OutboundPayments } from '../../worker/engine/manager/outbound-payments.ts';
import { Turn } from '../../worker/engine/manager/turn.ts';
import { buildFailure } from '../../worker/engine/onion/failures.ts';
import { decodeInvoice, encodeInvoice } from '../../worker/engine/payments/bolt11.ts';
import type { Invoice, InvoiceNetwork } from '../../worker/engine/payments/invoice.ts';
import { sha256 } from '../../worker/engine/primitives/hash.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { msat, type Msat } from '../../worker/engine/primitives/units.ts';
import type { ChannelHtlc } from '../../worker/engine/transactions/channel-htlc.ts';
import { featureSet } from '../../worker/engine/wire/features.ts';

const HEIGHT = 800_000;
const NOW = 1_700_000_000_000;
const PREIMAGE = new Uint8Array(32).fill(5);
const AMOUNT = msat(400_000n);
/** Ten satoshi: two per cent of the amount would be less. */
const DEFAULT_MOST = 10_000n;
const peer = new KeysManager(secp, new Uint8Array(64).fill(1), 'regtest');
const payee = new KeysManager(secp, new Uint8Array(64).fill(2), 'regtest');
const us = new KeysManager(secp, new Uint8Array(64).fill(3), 'regtest');

interface Asked {
  readonly network?: InvoiceNetwork;
  readonly amountMsat?: Msat | 'any';
  /** Base fees of the ways from the peer to the payee, in msat; without any the payee is the peer itself. */
  readonly fees?: readonly number[];
}

function invoiceText({ network = 'regtest', amountMsat = AMOUNT, fees = [] }: Asked = {}): string {
  const recipient = fees.length === 0 ? peer : payee;
  return encodeInvoice((hash) => recipient.signInvoice(hash), {
    network,
    ...(amountMsat === 'any' ? {} : { amountMsat }),
    timestamp: NOW / 1000,
    paymentHash: sha256(PREIMAGE),
    paymentSecret: new Uint8Array(32).fill(6),
    description: { kind: 'text', text: 'coffee' },
    expirySeconds: 3600,
    minFinalCltvExpiryDelta: 42,
    fallbackAddresses: [],
    routeHints: fees.map((feeBaseMsat, index) => [
      {
        nodeId: peer.nodeId,
        shortChannelId: BigInt(index + 1),
        feeBaseMsat,
        feeProportionalMillionths: 0,
        cltvExpiryDelta: 40,
      },
    ]),
    features: featureSet({ var_onion_optin: 'compulsory', payment_secret: 'compulsory', basic_mpp: 'optional' }),
  });
}

/** A book over channels with the peer: what is offered through them is kept. */
class Desk {
  readonly offered: { readonly channelKey: string; readonly htlc: ChannelHtlc }[] = [];
  readonly events: string[] = [];
  readonly records = new Map<string, Uint8Array>();
  readonly channels: readonly bigint[];
  book: OutboundPayments;
  #turn: Turn = new Turn(NOW);
  #random = 0;

  constructor(channels: readonly bigint[] = [10_000_000n]) {
    this.channels = channels;
    this.book = this.#make();
  }

  quote(invoice: Invoice, amountMsat: Msat = AMOUNT): ReturnType<OutboundPayments['quote']> {
    return this.book.quote(invoice, amountMsat, HEIGHT);
  }

  send(text: string, maxFeeMsat?: bigint, amountMsat: Msat = AMOUNT): void {
    const limit = maxFeeMsat === undefined ? undefined : msat(maxFeeMsat);
    this.#run(() => this.book.send(decodeInvoice(secp, text), text, amountMsat, HEIGHT, limit));
  }

  /** The peer says that it could not forward an HTLC. */
  fail({ channelKey, htlc } = this.#newest()): void {
    const secret = peer.ecdh(htlc.onion.slice(1, 34));
    const reason = buildFailure(secret, { kind: 'temporary_channel_failure', channelUpdate: new Uint8Array(0) });
    this.#run(() => this.book.failed(channelKey, htlc, { kind: 'fail', htlcId: htlc.id, reason }, HEIGHT));
  }

  fulfill(): void {
    this.#run(() => this.book.fulfilled(this.#newest().htlc, PREIMAGE));
  }

  /** A start: the records are all that is known. */
  reload(): void {
    this.book = this.#make();
    this.book.load(this.records, () => undefined);
  }

  #newest(): { readonly channelKey: string; readonly htlc: ChannelHtlc } {
    const newest = this.offered.at(-1);
    if (newest === undefined) throw new Error('nothing was offered');
    return newest;
  }

  #run(work: () => unknown): void {
    this.#turn = new Turn(NOW);
    work();
    for (const [key, bytes] of this.#turn.writes)
      if (bytes === undefined) this.records.delete(key);
      else this.records.set(key, bytes);
  }

  #make(): OutboundPayments {
    return new OutboundPayments({
      secp,
      entropy: { getSecureRandomBytes: () => new Uint8Array(32).fill(++this.#random) },
      turn: () => this.#turn,
      undo: () => undefined,
      htlcSwitch: {
        firstHops: () =>
          this.channels.map((availableMsat, index) => ({
            channelKey: `c${index}`.repeat(32),
            counterpartyNodeId: peer.nodeId,
            availableMsat: msat(availableMsat),
            isOffline: false,
          })),
        refusal: () => undefined,
        offer: (channelKey, offer) => {
          const htlc: ChannelHtlc = { ...offer, direction: 'outbound', id: BigInt(this.offered.length) };
          this.offered.push({ channelKey, htlc });
          return htlc;
        },
        claim: () => ({ kind: 'claimed' }),
        fail: () => undefined,
        isFunded: () => true,
        takesHtlcs: () => true,
        isTipFresh: () => true,
        knownPreimage: () => undefined,
        note: (kind) => void this.events.push(kind),
      },
    });
  }
}

const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;
const read = (asked?: Asked): { readonly text: string; readonly invoice: Invoice } => {
  const text = invoiceText(asked);
  return { text, invoice: decodeInvoice(secp, text) };
};

describe('a quote of a payment', () => {
  let desk: Desk;
  beforeEach(() => {
    desk = new Desk();
  });

  it('to a peer is free', () => {
    expect(desk.quote(read().invoice)).toEqual({ feeMsat: 0n, maxFeeMsat: DEFAULT_MOST });
  });

  it('is the fee that is then paid', () => {
    const { text, invoice } = read({ fees: [1_234] });
    expect(desk.quote(invoice)).toEqual({ feeMsat: 1_234n, maxFeeMsat: DEFAULT_MOST });
    desk.send(text);
    desk.fulfill();
    expect(desk.book.all()[0]?.state).toMatchObject({ kind: 'succeeded', feeMsat: 1_234n });
  });

  it('counts the fee of every part', () => {
    const parts = new Desk([300_000n, 300_000n]);
    const { text, invoice } = read({ fees: [1_000] });
    expect(parts.quote(invoice).feeMsat).toBe(2_000n);
    parts.send(text);
    expect(parts.offered.reduce((sum, { htlc }) => sum + htlc.amountMsat, 0n)).toBe(AMOUNT + 2_000n);
  });

  it('allows two per cent of a larger amount', () => {
    const { invoice } = read({ amountMsat: 'any', fees: [1_234] });
    expect(desk.quote(invoice, msat(5_000_000n)).maxFeeMsat).toBe(100_000n);
  });

  it('records nothing and offers nothing', () => {
    desk.quote(read({ fees: [1_234] }).invoice);
    expect([desk.records.size, desk.offered, desk.book.all()]).toEqual([0, [], []]);
  });

  it.each([
    ['a stranger', { fees: [1] }, [], 'NoRoute'],
    ['more than the channels carry', {}, [399_999n], 'InsufficientBalance'],
    ['a way above the limit', { fees: [10_001] }, [10_000_000n], 'FeeTooHigh'],
  ] as const)('is refused for %s, as the payment is', (_name, asked, channels, expected) => {
    const poor = new Desk(channels);
    const { text, invoice } = read(asked);
    expect(() => poor.quote(invoice)).toThrow(code(expected));
    expect(() => poor.send(text)).toThrow(code(expected));
    expect([poor.records.size, poor.offered]).toEqual([0, []]);
  });

  it('is refused while the invoice is being paid, and after', () => {
    const { text, invoice } = read();
    desk.send(text);
    expect(() => desk.quote(invoice)).toThrow(code('PaymentPending'));
    desk.fulfill();
    expect(() => desk.quote(invoice)).toThrow(code('PaymentAlreadySent'));
  });
});

describe('a payment with a limit for its fees', () => {
  it('takes a way that costs as much, and none that costs more', () => {
    const { text } = read({ fees: [1_234] });
    expect(() => new Desk().send(text, 1_233n)).toThrow(code('FeeTooHigh'));
    const desk = new Desk();
    desk.send(text, 1_234n);
    expect(desk.offered.map(({ htlc }) => htlc.amountMsat)).toEqual([AMOUNT + 1_234n]);
  });

  it('may allow more than the wallet would by itself', () => {
    const desk = new Desk();
    desk.send(read({ fees: [50_000] }).text, 50_000n);
    expect(desk.offered.length).toBe(1);
  });

  it.each([
    ['in one run', (): void => undefined],
    ['after a start', (desk: Desk): void => desk.reload()],
  ])('does not try a dearer way when the first fails, %s', (_name, between) => {
    const { text } = read({ fees: [1_000, 2_000] });
    const limited = new Desk();
    limited.send(text, 1_500n);
    between(limited);
    limited.fail();
    expect([limited.offered.length, limited.events]).toEqual([1, ['paymentFailed']]);
    const free = new Desk();
    free.send(text, 2_000n);
    between(free);
    free.fail();
    expect([free.offered.length, free.events]).toEqual([2, []]);
  });

  it('counts the parts that are under way when it tries again', () => {
    const { text } = read({ fees: [1_000, 2_000] });
    const attempts = (limit: bigint): number => {
      const desk = new Desk([300_000n, 300_000n]);
      desk.send(text, limit);
      desk.fail(desk.offered[1]);
      return desk.offered.length;
    };
    expect([attempts(2_999n), attempts(3_000n)]).toEqual([2, 3]);
  });

  it('forgets the limit of an attempt before', () => {
    const { text } = read({ fees: [1_000] });
    const desk = new Desk();
    desk.send(text, 1_000n);
    desk.fail();
    expect([...desk.records.keys()].filter((key) => key.endsWith('/maxFee')).length).toBe(1);
    desk.send(text);
    expect([...desk.records.keys()].filter((key) => key.endsWith('/maxFee'))).toEqual([]);
    desk.reload();
    expect(desk.book.all()[0]?.maxFeeMsat).toBeUndefined();
  });
});

describe('what is to be paid', () => {
  const payer = { nodeId: us.nodeId, now: NOW };

  it('is the amount of the invoice, or the one that was chosen', () => {
    expect(amountToPay(read().invoice, undefined, payer)).toBe(AMOUNT);
    expect(amountToPay(read().invoice, AMOUNT, payer)).toBe(AMOUNT);
    expect(amountToPay(read({ amountMsat: 'any' }).invoice, 77n, payer)).toBe(77n);
  });

  it.each([
    ['an expired invoice', {}, undefined, { now: NOW + 3_600_001 }, 'InvoiceExpired'],
    ['an invoice of our own', {}, undefined, { nodeId: peer.nodeId }, 'PaymentToSelf'],
    ['no amount', { amountMsat: 'any' }, undefined, {}, 'AmountMissing'],
    ['an amount of nothing', { amountMsat: 'any' }, 0n, {}, 'AmountMissing'],
    ['another amount', {}, 2n, {}, 'AmountMismatch'],
  ] as const)('is refused for %s', (_name, asked, chosen, over, expected) => {
    expect(() => amountToPay(read(asked).invoice, chosen, { ...payer, ...over })).toThrow(code(expected));
  });

  it('is read from links too, but not for another network', () => {
    const text = invoiceText();
    expect(readInvoice(` lightning:${text.toUpperCase()}\n`, 'regtest').text).toBe(text);
    expect(readInvoice(text.replace(/.{40}/g, '$&\r\n'), 'regtest').text).toBe(text);
    expect(() => readInvoice(invoiceText({ network: 'bitcoin' }), 'regtest')).toThrow(code('InvoiceOtherNetwork'));
    expect(() => readInvoice(text.slice(0, -1), 'regtest')).toThrow(code('InvoiceChecksum'));
  });
});
