import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import { MAX_MSAT } from '../../../../worker/engine/primitives/units.ts';
import type { PaymentBlindedPath } from '../../../../worker/engine/onion/blinded-path.ts';
import type { TrampolineDialect } from '../../../../worker/engine/onion/hop-instruction.ts';
import { trampolineDialects } from '../../../../worker/engine/onion/trampoline/trampoline-dialect.ts';
import {
  instructionOf,
  type TrampolineInstruction,
} from '../../../../worker/engine/onion/trampoline/trampoline-instruction.ts';
import type { TrampolinePayload } from '../../../../worker/engine/onion/trampoline/trampoline-payload.ts';
import deployed from '../../../vectors/trampoline-deployed.json' with { type: 'json' };
import { unframed } from '../fixtures.ts';

type Position = 'forward' | 'final';

const bytes = (byte: number, length: number) => new Uint8Array(length).fill(byte);
const copies = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value);
const nextPacket = bytes(9, 100);
const node = secp.publicKey(bytes(1, 32));
const amounts = { amtToForward: 500n, outgoingCltvValue: 600 };
const paymentData = { paymentSecret: bytes(3, 32), totalMsat: 700n };

/** What a payload asks for that came with an outer onion of so much. */
const asked = (
  payload: TrampolinePayload,
  position: Position,
  dialect: TrampolineDialect = 'deployed',
  outer: { readonly totalMsat: bigint; readonly outgoingCltvValue: number } = {
    totalMsat: 500n,
    outgoingCltvValue: 600,
  },
): TrampolineInstruction => {
  const peeled = { payload: bytes(0, 2), sharedSecret: bytes(4, 32) };
  return instructionOf({
    secp,
    entry: { kind: 'trampoline', dialect, packet: bytes(5, 100), amtToForward: 500n, ...outer },
    htlc: { amountMsat: 500n, cltvExpiry: 610, paymentHash: bytes(6, 32) },
    peeled: position === 'final' ? { kind: 'final', ...peeled } : { kind: 'forward', nextPacket, ...peeled },
    payload,
  });
};
const invalid = (type: bigint) => ({ kind: 'fail', failure: { kind: 'invalid_onion_payload', type, offset: 0 } });

const offCurve = ((): Uint8Array => {
  for (let last = 0; ; last++) {
    const candidate = Uint8Array.of(2, ...bytes(0xee, 31), last);
    if (!secp.isPoint(candidate)) return candidate;
  }
})();

const hint = { nodeId: node, shortChannelId: 1n, feeBaseMsat: 2, feeProportionalMillionths: 3, cltvExpiryDelta: 4 };
const path: PaymentBlindedPath = {
  firstNodeId: node,
  firstPathKey: node,
  hops: [{ blindedNodeId: node, encryptedRecipientData: bytes(7, 5) }],
  feeBaseMsat: 1,
  feeProportionalMillionths: 2,
  cltvExpiryDelta: 3,
  htlcMinimumMsat: 4n,
  htlcMaximumMsat: 5n,
  features: bytes(0, 0),
};
const toHints = { ...amounts, paymentData, outgoingNodeId: node, invoiceRoutingInfo: [[hint]] };

describe('a payload on the way', () => {
  it('is passed on to a node', () => {
    const relay = { kind: 'relay', ...amounts, outgoingNodeId: node, nextPacket };
    expect(asked({ ...amounts, outgoingNodeId: node }, 'forward')).toEqual(relay);
    expect(asked({ ...amounts, outgoingNodeId: node }, 'forward', 'proposed')).toEqual(relay);
  });

  it.each<[string, bigint, TrampolinePayload, TrampolineDialect]>([
    ['no amount', 2n, { outgoingCltvValue: 600, outgoingNodeId: node }, 'deployed'],
    ['an amount of nothing', 2n, { ...amounts, amtToForward: 0n, outgoingNodeId: node }, 'deployed'],
    ['an amount that nobody has', 2n, { ...amounts, amtToForward: MAX_MSAT + 1n, outgoingNodeId: node }, 'deployed'],
    ['no expiry', 4n, { amtToForward: 5n, outgoingNodeId: node }, 'deployed'],
    ['an expiry that is a time', 4n, { ...amounts, outgoingCltvValue: 500_000_000, outgoingNodeId: node }, 'deployed'],
    ['no node', 66098n, amounts, 'deployed'],
    ['no node', 14n, amounts, 'proposed'],
    ['a node that is no point', 66098n, { ...amounts, outgoingNodeId: offCurve }, 'deployed'],
  ])('is refused with %s (%d)', (_, type, payload, dialect) => {
    expect(asked(payload, 'forward', dialect)).toEqual(invalid(type));
  });
});

describe('a payload for somebody without trampoline', () => {
  const recipient = { kind: 'routeHints', nodeId: node, ...paymentData, features: bytes(0, 0), routeHints: [[hint]] };

  it.each<Position>(['forward', 'final'])('says whom to pay with which secret (%s)', (position) => {
    expect(asked(toHints, position)).toEqual({ kind: 'relayToRecipient', ...amounts, recipient });
    const more = { ...toHints, paymentMetadata: bytes(8, 3), recipientFeatures: fromHex('0000000000024100') };
    expect(asked(more, position)).toMatchObject({
      recipient: { paymentMetadata: bytes(8, 3), features: fromHex('024100') },
    });
  });

  it('has the amount for a total where it names none', () => {
    const none = { ...toHints, paymentData: { ...paymentData, totalMsat: 0n } };
    expect(asked(none, 'forward')).toMatchObject({ recipient: { totalMsat: 500n } });
  });

  it('may name no hint at all', () => {
    expect(asked({ ...toHints, invoiceRoutingInfo: [] }, 'forward')).toMatchObject({ recipient: { routeHints: [] } });
  });

  it('has at most twenty hints of at most twenty hops, of nodes that are points', () => {
    const many = [[], [{ ...hint, nodeId: offCurve }], copies(21, hint), copies(20, hint), ...copies(30, [hint])];
    const instruction = asked({ ...toHints, invoiceRoutingInfo: many }, 'forward');
    expect(instruction).toMatchObject({ recipient: { routeHints: [copies(20, hint), ...copies(18, [hint])] } });
  });

  it('names blinded paths instead', () => {
    const payload = { ...amounts, recipientBlindedPaths: [path] };
    const recipientOf = { kind: 'blindedPaths', features: bytes(0, 0), paths: [path] };
    const expected = { kind: 'relayToRecipient', ...amounts, recipient: recipientOf };
    expect(asked(payload, 'final')).toEqual(expected);
    expect(asked(payload, 'forward', 'proposed')).toEqual(expected);
  });

  it('has at most twenty paths, of at most twenty hops, of keys that are points', () => {
    const [hop] = path.hops;
    if (hop === undefined) throw new Error('no hop');
    const unusable: readonly PaymentBlindedPath[] = [
      { ...path, hops: [] },
      { ...path, hops: copies(21, hop) },
      { ...path, firstPathKey: offCurve },
      { ...path, firstNodeId: offCurve },
      { ...path, hops: [{ ...hop, blindedNodeId: offCurve }] },
    ];
    const byChannel = { ...path, firstNodeId: fromHex('010000000000000007') };
    const longest = { ...path, hops: copies(20, hop) };
    const named = [...unusable, byChannel, longest, ...copies(30, path)];
    const instruction = asked({ ...amounts, recipientBlindedPaths: named }, 'final');
    expect(instruction).toMatchObject({ recipient: { paths: [byChannel, longest, ...copies(14, path)] } });
    expect(asked({ ...amounts, recipientBlindedPaths: unusable }, 'final')).toEqual(invalid(66102n));
  });

  it.each<[string, bigint, TrampolinePayload]>([
    ['no secret', 8n, { ...amounts, outgoingNodeId: node, invoiceRoutingInfo: [] }],
    ['a total below the amount', 8n, { ...toHints, paymentData: { ...paymentData, totalMsat: 499n } }],
    ['a total that nobody has', 8n, { ...toHints, paymentData: { ...paymentData, totalMsat: MAX_MSAT + 1n } }],
    ['no node', 66098n, { ...amounts, paymentData, invoiceRoutingInfo: [] }],
    ['a node that is no point', 66098n, { ...toHints, outgoingNodeId: offCurve }],
    ['hints and blinded paths', 66102n, { ...toHints, recipientBlindedPaths: [path] }],
    ['a node and blinded paths', 66098n, { ...amounts, outgoingNodeId: node, recipientBlindedPaths: [path] }],
    ['no blinded path', 66102n, { ...amounts, recipientBlindedPaths: [] }],
  ])('is refused with %s (%d)', (_, type, payload) => {
    expect(asked(payload, 'forward')).toEqual(invalid(type));
  });
});

describe('a payload for us', () => {
  it('is received', () => {
    const payload = { ...amounts, paymentData, paymentMetadata: bytes(8, 3) };
    expect(asked(payload, 'final')).toEqual({
      kind: 'receive',
      ...amounts,
      ...paymentData,
      paymentMetadata: bytes(8, 3),
    });
  });

  it('may be less than what arrives, and sooner', () => {
    const more = { totalMsat: 501n, outgoingCltvValue: 601 };
    expect(asked({ ...amounts, paymentData }, 'final', 'deployed', more)).toMatchObject({
      kind: 'receive',
      ...amounts,
    });
  });

  it('fails when the trampoline node has kept some of the amount or of the time', () => {
    const payload = { ...amounts, paymentData };
    const less = asked(payload, 'final', 'deployed', { totalMsat: 499n, outgoingCltvValue: 600 });
    expect(less).toEqual({ kind: 'fail', failure: { kind: 'final_incorrect_htlc_amount', incomingHtlcAmt: 499n } });
    const sooner = asked(payload, 'final', 'deployed', { totalMsat: 500n, outgoingCltvValue: 599 });
    expect(sooner).toEqual({ kind: 'fail', failure: { kind: 'final_incorrect_cltv_expiry', cltvExpiry: 610 } });
  });

  it('is refused without a secret, and when it is for somebody else', () => {
    expect(asked(amounts, 'final')).toEqual(invalid(8n));
    expect(asked({ ...amounts, paymentData, outgoingNodeId: node }, 'final')).toEqual(invalid(66098n));
    expect(asked({ ...amounts, paymentData, outgoingNodeId: node }, 'final', 'proposed')).toEqual(invalid(14n));
  });
});

describe('the vectors’ invalid payloads', () => {
  it.each(deployed.invalidPayloads)('$kind with $type $reason', ({ kind, bytes: framed, type }) => {
    const decoded = trampolineDialects.deployed.payload.decode(unframed(framed));
    if (decoded.kind === 'invalid') return expect(decoded.type).toBe(BigInt(type));
    const position = kind === 'final' ? 'final' : 'forward';
    expect(asked(decoded.payload, position)).toEqual(invalid(BigInt(type)));
  });
});
