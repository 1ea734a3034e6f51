import { describe, expect, it } from 'vitest';
import { amountToPay } from '../../worker/client/invoice-payment.ts';
import { decodeInvoice } from '../../worker/engine/payments/bolt11.ts';
import type { InvoiceFields, RouteHintHop } from '../../worker/engine/payments/invoice.ts';
import { tagCharacters, type Words } from '../../worker/engine/payments/invoice-words.ts';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import { featuresFromBits } from '../../worker/engine/wire/features.ts';
import { fakeSecp256k1 } from '../simulation/fake-secp256k1.ts';
import type { Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { hintHop, invoiceWith, resigned, stranger, unknownNode } from './forge-invoice.ts';
import { claimableMsat, expectSurvival, verdictOf } from './survival.ts';

/** More blocks than this no honest way needs, and an HTLC locks our money for as long. */
const MOST_BLOCKS = 2_016;

/** Pays as the wallet does; the code of the refusal, or `paid` when HTLCs are out. */
function paid({ victim }: Arena, text: string): string {
  try {
    const invoice = decodeInvoice(fakeSecp256k1, text);
    const payer = { nodeId: victim.node.keys.nodeId, now: 1_700_000_000_000 };
    amountToPay(invoice, undefined, payer);
    victim.node.payParsed({ text, invoice });
    return 'paid';
  } catch (error) {
    return codeOf(error);
  }
}

/** What a quote of the same payment says. */
function quoted({ victim }: Arena, text: string): string {
  try {
    const invoice = decodeInvoice(fakeSecp256k1, text);
    const amountMsat = amountToPay(invoice, undefined, { nodeId: victim.node.keys.nodeId, now: 1_700_000_000_000 });
    victim.node.turn(() =>
      victim.node.manager.outboundPayments.quote(invoice, amountMsat, victim.node.manager.blockHeight),
    );
    return 'paid';
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof GlowwormError) return error.code;
  return `threw ${String(error)}`;
}

/** An invoice is refused with a sentence, by the quote as by the payment, and nothing is offered. */
async function expectRefused(world: Arena, text: string, code: RegExp): Promise<void> {
  const dueMsat = claimableMsat(world);
  const quote = quoted(world, text);
  expect(paid(world, text)).toMatch(code);
  expect(quote).toMatch(code);
  await world.pump();
  expect(world.said).not.toContain('update_add_htlc');
  expect(verdictOf(world)).toBe('open');
  await expectSurvival(world, dueMsat);
}

const viaAttacker = (world: Arena, change: Partial<RouteHintHop> = {}) => [
  hintHop(world.attacker.node.keys.nodeId, change),
];

describe('the lock times of an invoice', () => {
  it.each([
    50_000,
    65_535,
    499_000_000,
    499_999_999,
    500_000_000,
    4_294_967_295,
    4_294_967_296,
    Number.MAX_SAFE_INTEGER,
  ])('of %d blocks at its end is refused', async (minFinalCltvExpiryDelta) => {
    const world = await arena('fundee');
    const text = invoiceWith({ minFinalCltvExpiryDelta, routeHints: [viaAttacker(world)] });
    await expectRefused(world, text, /^(?!InvariantBroken|threw|paid)/);
  });

  it.each([1, 2, 5, 10, 12])('of %d hops of 65,535 blocks each is refused', async (hops) => {
    const world = await arena('fundee');
    const tail = Array.from({ length: hops - 1 }, (_, n) => hintHop(unknownNode(n + 3), { cltvExpiryDelta: 0xffff }));
    const hint = [...viaAttacker(world, { cltvExpiryDelta: 0xffff }), ...tail];
    await expectRefused(world, invoiceWith({ routeHints: [hint] }), /^(?!InvariantBroken|threw|paid)/);
  });

  it('that are usual are paid, and lock our money for no longer than they say', async () => {
    const world = await arena('fundee');
    world.silenced = true;
    const text = invoiceWith({
      minFinalCltvExpiryDelta: 144,
      routeHints: [viaAttacker(world, { cltvExpiryDelta: 144 })],
    });
    expect(paid(world, text)).toBe('paid');
    await world.pump();
    const add = world.heard.find((message) => message.kind === 'update_add_htlc');
    expect(add?.kind === 'update_add_htlc' && add.cltvExpiry - world.chain.height).toBeLessThanOrEqual(MOST_BLOCKS);
    await expectSurvival(world, 398_900_000n);
  });
});

const FEES_U32 = { feeBaseMsat: 0xffff_ffff, feeProportionalMillionths: 0xffff_ffff };

const refusals: readonly [string, (world: Arena) => Partial<InvoiceFields>, RegExp][] = [
  [
    'whose hint asks for an enormous base fee',
    (w) => ({ routeHints: [viaAttacker(w, { feeBaseMsat: 0xffff_ffff })] }),
    /^FeeTooHigh$/,
  ],
  [
    'whose hint asks for an enormous share',
    (w) => ({ routeHints: [viaAttacker(w, { feeProportionalMillionths: 0xffff_ffff })] }),
    /^FeeTooHigh$/,
  ],
  [
    'each of whose hops asks for everything',
    (w) => ({
      routeHints: [[...viaAttacker(w, FEES_U32), hintHop(unknownNode(3), FEES_U32), hintHop(unknownNode(4), FEES_U32)]],
    }),
    /^FeeTooHigh$/,
  ],
  ['without a hint', () => ({}), /^NoRoute$/],
  ['whose hint is empty', () => ({ routeHints: [[]] }), /^(NoRoute|InvoiceMalformed)$/],
  ['whose hint is from nobody whom we know', () => ({ routeHints: [[hintHop(unknownNode(3))]] }), /^NoRoute$/],
  ['whose hint is from ourselves', (w) => ({ routeHints: [[hintHop(w.victim.node.keys.nodeId)]] }), /^NoRoute$/],
  [
    'with as many hops as an invoice holds, each for a fee',
    (w) => ({ routeHints: [[...viaAttacker(w), ...hops(11, FEES_U32)]] }),
    /^(?!InvariantBroken|threw|paid)/,
  ],
  [
    'over all bitcoin',
    (w) => ({ amountMsat: 2_100_000_000_000_000_000n, routeHints: [viaAttacker(w)] }),
    /^(InsufficientBalance|FeeTooHigh)$/,
  ],
  [
    'over a millisatoshi more than we have',
    (w) => ({ amountMsat: 400_000_001n, routeHints: [viaAttacker(w)] }),
    /^InsufficientBalance$/,
  ],
  ['that has expired', (w) => ({ timestamp: 1_600_000_000, routeHints: [viaAttacker(w)] }), /^InvoiceExpired$/],
  [
    'that is valid for no time',
    (w) => ({ timestamp: 1_699_999_999, expirySeconds: 0, routeHints: [viaAttacker(w)] }),
    /^InvoiceExpired$/,
  ],
  [
    'that demands a feature which we lack',
    (w) => ({ features: featuresFromBits([8, 14, 200]), routeHints: [viaAttacker(w)] }),
    /^InvoiceUnknownFeature$/,
  ],
  [
    'one of whose hints has no node',
    () => ({ routeHints: [[hintHop(Uint8Array.of(3, ...new Uint8Array(32).fill(5)))]] }),
    /^InvoiceMalformed$/,
  ],
];

const hops = (count: number, change: Partial<RouteHintHop> = {}): readonly RouteHintHop[] =>
  Array.from({ length: count }, (_, n) => hintHop(unknownNode(n + 3), change));

describe('an invoice', () => {
  it.each(refusals)('%s is refused, with a reason', async (_name, fields, code) => {
    const world = await arena('fundee');
    await expectRefused(world, invoiceWith(fields(world)), code);
  });

  it('for a payee behind a peer who is away says that, and not that there is no way', async () => {
    const world = await arena('fundee');
    world.disconnect();
    const text = invoiceWith({ routeHints: [viaAttacker(world)] });
    expect(paid(world, text)).toMatch(/^(?!NoRoute|InvariantBroken|threw|paid)/);
    await expectSurvival(world, 400_000_000n);
  });

  it('with two ways is paid by the cheaper one, whichever comes first', async () => {
    for (const order of [0, 1]) {
      const world = await arena('fundee');
      world.silenced = true;
      const ways = [
        viaAttacker(world, { feeBaseMsat: 9_000 }),
        viaAttacker(world, { feeBaseMsat: 10, shortChannelId: 8n }),
      ];
      expect(paid(world, invoiceWith({ routeHints: order === 0 ? ways : ways.toReversed() }))).toBe('paid');
      await world.pump();
      const add = world.heard.find((message) => message.kind === 'update_add_htlc');
      expect(add?.kind === 'update_add_htlc' && add.amountMsat).toBe(1_000_011n);
    }
  });

  it('whose hint goes through our peer, but does not begin there, is paid', async () => {
    const world = await arena('fundee');
    world.silenced = true;
    const hint = [hintHop(unknownNode(9)), ...viaAttacker(world, { shortChannelId: 8n })];
    expect(paid(world, invoiceWith({ routeHints: [hint] }))).toBe('paid');
  });

  it('of our own is refused', async () => {
    const world = await arena('fundee');
    expect(paid(world, world.victim.node.invoice(1_000n))).toBe('PaymentToSelf');
  });
});

/** The words of a field of an invoice: where its data begin, and how many there are. */
function fieldAt(words: Words, tag: string): { readonly start: number; readonly length: number } {
  for (let at = 7; at < words.length;) {
    const [type = 0, high = 0, low = 0] = words.slice(at, at + 3);
    const length = high * 32 + low;
    if (tagCharacters[type] === tag) return { start: at + 3, length };
    at += 3 + length;
  }
  throw new Error(`the invoice has no field ${tag}`);
}

const padded =
  (tag: string) =>
  (words: number[]): Words => {
    const { start, length } = fieldAt(words, tag);
    return words.map((word, at) => (at === start + length - 1 ? word | 1 : word));
  };

const texts: readonly [string, (valid: string) => string, RegExp][] = [
  ['with padding in its payment hash', (text) => resigned(text, padded('p')), /^InvoiceMalformed$/],
  ['with padding in its payment secret', (text) => resigned(text, padded('s')), /^InvoiceMalformed$/],
  ['with padding in its description', (text) => resigned(text, padded('d')), /^InvoiceMalformed$/],
  ['without a payment hash', (text) => resigned(text, without('p')), /^InvoiceMissingField$/],
  ['without a payment secret', (text) => resigned(text, without('s')), /^InvoiceMissingField$/],
  [
    'with a field that is longer than the rest',
    (text) => resigned(text, (words) => [...words, 1, 31, 31, 0]),
    /^InvoiceMalformed$/,
  ],
  [
    'with a field that is cut in its length',
    (text) => resigned(text, (words) => [...words, 1, 31]),
    /^InvoiceMalformed$/,
  ],
  // As one without an amount: whoever pays says how much.
  ['for nothing', (text) => resigned(text, same, () => 'lnbcrt0n'), /^read$/],
  ['for a tenth of a millisatoshi', (text) => resigned(text, same, () => 'lnbcrt1p'), /^InvoiceAmount$/],
  ['for an amount that begins with zero', (text) => resigned(text, same, () => 'lnbcrt010u'), /^InvoiceMalformed$/],
  ['for an amount in no unit', (text) => resigned(text, same, () => 'lnbcrt10x'), /^InvoiceMalformed$/],
  ['for more bitcoin than there is', (text) => resigned(text, same, () => 'lnbcrt21000001'), /^InvoiceAmount$/],
  ['for an amount of 40 digits', (text) => resigned(text, same, () => `lnbcrt${'9'.repeat(40)}`), /^InvoiceMalformed$/],
  ['of a chain that nobody knows', (text) => resigned(text, same, () => 'lnxx'), /^InvoiceMalformed$/],
  ['whose signature is not its own', (text) => text.slice(0, -20) + text.slice(-19) + 'q', /^InvoiceChecksum$/],
  ['cut short', (text) => text.slice(0, 100), /^Invoice(Malformed|Checksum)$/],
  ['in mixed case', (text) => text.slice(0, 50) + text.slice(50).toUpperCase(), /^InvoiceMalformed$/],
  ['of 20,000 characters', (text) => text + 'q'.repeat(20_000), /^InvoiceMalformed$/],
  ['with a letter that only looks right', (text) => text.replace('q', 'ԛ'), /^InvoiceMalformed$/],
  ['of nothing', () => '', /^InvoiceMalformed$/],
  ['of a prefix alone', () => 'lnbcrt1', /^InvoiceMalformed$/],
  ['of a separator alone', () => '1', /^InvoiceMalformed$/],
];

const same = (words: number[]): Words => words;

const without =
  (tag: string) =>
  (words: number[]): Words => {
    const { start, length } = fieldAt(words, tag);
    return [...words.slice(0, start - 3), ...words.slice(start + length)];
  };

describe('the text of an invoice', () => {
  it('that is right is read', () => {
    expect(decodeInvoice(fakeSecp256k1, resigned(invoiceWith({}), same)).payeeNodeId).toEqual(stranger.nodeId);
  });

  it.each(texts)('%s has its answer', (_name, change, code) => {
    let outcome = 'read';
    try {
      decodeInvoice(fakeSecp256k1, change(invoiceWith({})));
    } catch (error) {
      outcome = codeOf(error);
    }
    expect(outcome).toMatch(code);
  });
});
