import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import {
  blindedPathHops,
  introductionNode,
  isUsablePath,
  paymentBlindedPath,
  type PaymentBlindedPath,
} from '../../../worker/engine/onion/blinded-path.ts';
import { buildOnion } from '../../../worker/engine/onion/sphinx.ts';
import { decode, encode } from '../../../worker/engine/wire/codec.ts';
import { codecOf } from '../../../worker/engine/wire/schema-codec.ts';
import proposed from '../../vectors/trampoline-proposed.json' with { type: 'json' };
import { unframed } from './fixtures.ts';

const { generateBlindedPathEve, generateTrampolineOnion, relayPaymentCarol } = proposed.toBlindedPaths;
const codec = codecOf(paymentBlindedPath);
const [info] = generateTrampolineOnion.recipientBlindedPaths.map(({ paymentInfo }) => paymentInfo);
const path: PaymentBlindedPath = {
  firstNodeId: fromHex(generateBlindedPathEve.introductionNodeId),
  firstPathKey: fromHex(generateBlindedPathEve.pathKey),
  hops: generateBlindedPathEve.hops.map(({ blindedNodeId, encryptedData }) => ({
    blindedNodeId: fromHex(blindedNodeId),
    encryptedRecipientData: fromHex(encryptedData),
  })),
  feeBaseMsat: info?.feeBaseMsat ?? 0,
  feeProportionalMillionths: info?.feeProportionalMillionths ?? 0,
  cltvExpiryDelta: info?.cltvExpiryDelta ?? 0,
  htlcMinimumMsat: BigInt(info?.minHtlcMsat ?? 0),
  htlcMaximumMsat: BigInt(info?.maxHtlcMsat ?? 0),
  features: new Uint8Array(0),
};

describe('a blinded path to a payee', () => {
  it('is written as in the vector, and read', () => {
    const bytes = encode(codec, path);
    expect(generateTrampolineOnion.encodedTlvs).toContain(toHex(bytes));
    expect(decode(codec, bytes)).toEqual(path);
  });

  it('is paid with the onion of the vector', () => {
    const final = { amountMsat: 150_000_000n, totalMsat: 150_000_000n, cltvExpiry: 800_000 };
    const hops = blindedPathHops(path, path.firstNodeId, final);
    expect(hops.map(({ payload }) => toHex(payload))).toEqual(
      relayPaymentCarol.hops.map(({ encodedTlvs }) => toHex(unframed(encodedTlvs))),
    );
    const { packet } = buildOnion(secp, {
      sessionKey: fromHex(relayPaymentCarol.sessionKey),
      hops,
      associatedData: fromHex(relayPaymentCarol.associatedData),
    });
    expect(toHex(packet)).toBe(relayPaymentCarol.onion);
  });

  it('of one hop is for the node alone, with the key and the amount', () => {
    const final = { amountMsat: 5n, totalMsat: 6n, cltvExpiry: 7 };
    const [only, ...others] = blindedPathHops({ ...path, hops: path.hops.slice(0, 1) }, path.firstNodeId, final);
    expect(others).toEqual([]);
    expect(toHex(only?.payload ?? new Uint8Array(0))).toMatch(/^020105040107.*0c21.*120106$/);
  });

  it('begins at a node, or at an end of a channel', () => {
    expect(introductionNode(path)).toEqual({ kind: 'node', nodeId: path.firstNodeId });
    const byChannel = { ...path, firstNodeId: fromHex('0100000000000001d4') };
    expect(introductionNode(byChannel)).toEqual({ kind: 'channel', direction: 1, shortChannelId: 0x1d4n });
    expect(isUsablePath(secp, byChannel)).toBe(true);
    expect(isUsablePath(secp, path)).toBe(true);
    expect(isUsablePath(secp, { ...path, hops: [] })).toBe(false);
  });
});
