import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { hopInstruction } from '../../../worker/engine/onion/hop-instruction.ts';
import type { HopPayload } from '../../../worker/engine/onion/payloads.ts';
import { decodePayload, encodePayload, payloadRecords } from '../../../worker/engine/onion/payloads.ts';
import vector from '../../vectors/bolt04-onion.json' with { type: 'json' };
import { arbitraryOf } from '../wire/arbitrary.ts';
import { CORRUPTIONS, FUZZ_RUNS, corruptions } from '../wire/fuzz.ts';
import { unframed } from './fixtures.ts';

const payloads = vector.hops.map((hop) => unframed(hop.framedPayload));
const bytes = (byte: number, length: number) => new Uint8Array(length).fill(byte);

describe('hop payloads', () => {
  it.each(payloads.map((payload, hop) => ({ hex: toHex(payload), hop })))(
    'of hop $hop is read and written',
    ({ hex }) => {
      const decoded = decodePayload(fromHex(hex));
      if (decoded.kind !== 'payload') throw new Error('invalid');
      expect(toHex(encodePayload(decoded.payload))).toBe(hex);
    },
  );

  it('have the values of the vector', () => {
    const [first = bytes(0, 0), second = bytes(0, 0)] = payloads;
    expect(decodePayload(first)).toEqual({
      kind: 'payload',
      payload: { amtToForward: 15_000n, outgoingCltvValue: 1500, shortChannelId: 1n },
    });
    const decoded = decodePayload(second);
    expect(decoded.kind === 'payload' && decoded.payload.customRecords?.map(({ type }) => type)).toEqual([513n]);
  });

  it('carry payment data, keysend and custom records in order', () => {
    const payload: HopPayload = {
      amtToForward: 1n,
      outgoingCltvValue: 2,
      paymentData: { paymentSecret: bytes(3, 32), totalMsat: 0n },
      paymentMetadata: bytes(4, 3),
      keysendPreimage: bytes(5, 32),
      customRecords: [{ type: 133_773_310n + 1n, value: bytes(6, 2) }],
    };
    const hex = toHex(encodePayload(payload));
    expect(hex).toBe(
      `020101040102` +
        `0820${'03'.repeat(32)}` +
        `1003040404` +
        `fe07f93a3f020606`.replace('07f93a3f', (133_773_311).toString(16).padStart(8, '0')) +
        `ff0000000146c6616c20${'05'.repeat(32)}`.replace(
          '0000000146c6616c',
          (5482373484).toString(16).padStart(16, '0'),
        ),
    );
    expect(decodePayload(fromHex(hex))).toEqual({ kind: 'payload', payload });
  });

  it.each([
    ['020101020102', 2n, 3],
    ['0201011600', 22n, 3],
    ['02020001', 2n, 0],
    ['020101040501020304', 4n, 3],
    ['0201010c020203', 12n, 3],
    ['0201010820' + '00'.repeat(31), 8n, 3],
    ['020101fd', 0n, 3],
  ])('%s is invalid at record %d', (hex, type, offset) => {
    expect(decodePayload(fromHex(hex))).toEqual({ kind: 'invalid', type, offset });
  });

  it('never make the decoder throw, and are stable when read', () => {
    const any = arbitraryOf({ kind: 'tlvs', records: payloadRecords }).map((fields) =>
      encodePayload(fields as HopPayload),
    );
    fc.assert(
      fc.property(any, any, fc.nat(), (one, other, seed) => {
        for (const changed of [one, ...corruptions(one, other, seed)]) {
          const decoded = decodePayload(changed);
          if (decoded.kind === 'payload' && toHex(encodePayload(decoded.payload)) !== toHex(changed))
            throw new Error('not stable');
        }
      }),
      { numRuns: Math.ceil(FUZZ_RUNS / CORRUPTIONS) },
    );
  });
});

describe('hop instructions', () => {
  const amounts = { amtToForward: 5n, outgoingCltvValue: 6 };
  const forward = { onion: 'forward', pathKey: undefined } as const;
  const final = { onion: 'final', pathKey: undefined } as const;
  const pathKey = bytes(2, 33);
  const encryptedRecipientData = bytes(9, 40);

  it('relay', () => {
    const payload = { ...amounts, shortChannelId: 7n };
    expect(hopInstruction(payload, forward)).toEqual({ kind: 'relay', ...payload });
    expect(hopInstruction(amounts, forward)).toEqual({ kind: 'invalid', type: 6n });
    expect(hopInstruction({ amtToForward: 5n, shortChannelId: 7n }, forward)).toEqual({ kind: 'invalid', type: 4n });
    expect(hopInstruction({ shortChannelId: 7n }, forward)).toEqual({ kind: 'invalid', type: 2n });
  });

  it('receive', () => {
    expect(hopInstruction(amounts, final)).toEqual({ kind: 'receive', ...amounts, payload: amounts });
    expect(hopInstruction({ ...amounts, currentPathKey: pathKey }, final)).toEqual({ kind: 'invalid', type: 12n });
  });

  it('relay on a blinded path', () => {
    const blinded = { kind: 'blindedRelay', encryptedRecipientData, pathKey };
    expect(hopInstruction({ encryptedRecipientData, currentPathKey: pathKey }, forward)).toEqual(blinded);
    expect(hopInstruction({ encryptedRecipientData }, { onion: 'forward', pathKey })).toEqual(blinded);
  });

  it('receive on a blinded path', () => {
    const payload = { ...amounts, totalAmountMsat: 8n, encryptedRecipientData };
    expect(hopInstruction(payload, { onion: 'final', pathKey })).toEqual({
      kind: 'blindedReceive',
      ...amounts,
      totalAmountMsat: 8n,
      encryptedRecipientData,
      pathKey,
      payload,
    });
  });

  it('enter a trampoline onion in either dialect', () => {
    const packet = bytes(7, 200);
    const paymentData = { paymentSecret: bytes(3, 32), totalMsat: 9n };
    const entry = { kind: 'trampoline', packet, ...amounts, totalMsat: 9n, paymentSecret: bytes(3, 32) };
    const deployed = { ...amounts, paymentData, deployedTrampolineOnion: packet };
    const proposed = { ...amounts, paymentData, trampolineOnionPacket: packet };
    expect(hopInstruction(deployed, final)).toEqual({ ...entry, dialect: 'deployed' });
    expect(hopInstruction(proposed, final)).toEqual({ ...entry, dialect: 'proposed' });
    const onBlindedPath = hopInstruction({ ...proposed, currentPathKey: pathKey }, final);
    expect(onBlindedPath).toEqual({ ...entry, dialect: 'proposed', pathKey });
  });

  it.each<[string, HopPayload]>([
    ['nothing beside the amount', {}],
    ['a total of zero', { paymentData: { paymentSecret: bytes(3, 32), totalMsat: 0n } }],
  ])('take the amount of a trampoline’s part for the total with %s', (_, data) => {
    const instruction = hopInstruction({ ...amounts, ...data, deployedTrampolineOnion: bytes(7, 200) }, final);
    expect(instruction).toMatchObject({ kind: 'trampoline', totalMsat: 5n });
  });

  it.each<[string, bigint, HopPayload, Parameters<typeof hopInstruction>[1]]>([
    ['on the way', 66100n, { ...amounts, deployedTrampolineOnion: bytes(7, 200) }, forward],
    ['on the way', 20n, { ...amounts, trampolineOnionPacket: bytes(7, 200) }, forward],
    [
      'twice',
      66100n,
      { ...amounts, deployedTrampolineOnion: bytes(7, 200), trampolineOnionPacket: bytes(7, 200) },
      final,
    ],
    [
      'with a path key that eclair does not know',
      12n,
      { ...amounts, deployedTrampolineOnion: bytes(7, 200), currentPathKey: pathKey },
      final,
    ],
    ['without an amount', 2n, { outgoingCltvValue: 6, trampolineOnionPacket: bytes(7, 200) }, final],
    ['without an expiry', 4n, { amtToForward: 5n, trampolineOnionPacket: bytes(7, 200) }, final],
    [
      'with a total below the amount',
      8n,
      { ...amounts, trampolineOnionPacket: bytes(7, 200), paymentData: { paymentSecret: bytes(3, 32), totalMsat: 4n } },
      final,
    ],
    [
      'with a total of more than there is',
      8n,
      {
        ...amounts,
        trampolineOnionPacket: bytes(7, 200),
        paymentData: { paymentSecret: bytes(3, 32), totalMsat: 2n ** 63n },
      },
      final,
    ],
  ])('refuse a trampoline onion %s (%d)', (_, type, payload, position) => {
    expect(hopInstruction(payload, position)).toEqual({ kind: 'invalid', type });
  });

  it.each<[string, HopPayload, Parameters<typeof hopInstruction>[1]]>([
    [
      'a trampoline onion',
      { ...amounts, totalAmountMsat: 8n, encryptedRecipientData, trampolineOnionPacket: bytes(7, 200) },
      { onion: 'final', pathKey },
    ],
    ['no path key', { encryptedRecipientData }, forward],
    ['two path keys', { encryptedRecipientData, currentPathKey: pathKey }, { onion: 'forward', pathKey }],
    ['no encrypted data', { ...amounts, shortChannelId: 1n }, { onion: 'forward', pathKey }],
    ['a field too many', { ...amounts, encryptedRecipientData, currentPathKey: pathKey }, forward],
    ['a field too few', { ...amounts, encryptedRecipientData, currentPathKey: pathKey }, final],
  ])('are refused on a blinded path with %s', (_, payload, position) => {
    expect(hopInstruction(payload, position)).toEqual({ kind: 'invalidBlinding' });
  });
});
