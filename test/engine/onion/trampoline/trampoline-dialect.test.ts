import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { payloadRecords } from '../../../../worker/engine/onion/payloads.ts';
import { dialectOf, trampolineDialects } from '../../../../worker/engine/onion/trampoline/trampoline-dialect.ts';
import type { TrampolinePayload } from '../../../../worker/engine/onion/trampoline/trampoline-payload.ts';
import { featuresFromBits } from '../../../../worker/engine/wire/features.ts';
import deployed from '../../../vectors/trampoline-deployed.json' with { type: 'json' };
import proposed from '../../../vectors/trampoline-proposed.json' with { type: 'json' };
import { pseudoRandomBytes } from '../../wire/arbitrary.ts';
import { CORRUPTIONS, FUZZ_RUNS, corruptions } from '../../wire/fuzz.ts';
import { unframed } from '../fixtures.ts';
import { proposedHop } from './fixtures.ts';

const typesOf = (records: readonly { readonly name: string; readonly type: number }[]) =>
  Object.fromEntries(records.map(({ name, type }) => [name, BigInt(type)]));

const decoded = (dialect: keyof typeof trampolineDialects, payload: Uint8Array): TrampolinePayload => {
  const read = trampolineDialects[dialect].payload.decode(payload);
  if (read.kind !== 'payload') throw new Error(`record ${read.type} is invalid`);
  return read.payload;
};

const payloads = {
  deployed: [
    ...deployed.payloads.map(({ bytes }) => unframed(bytes)),
    ...deployed.cases.flatMap(({ trampolineHops }) => trampolineHops.map(({ payload }) => unframed(payload))),
  ],
  proposed: [
    ...proposed.payment.generateAlice.trampolineHops,
    ...proposed.failureOfPayee.generateAlice.trampolineHops,
    ...proposed.failureOnBlindedPath.generateAlice.trampolineHops,
    ...proposed.toBlindedTrampoline.generateTrampolineOnion.hops,
    { pubkey: '', encodedTlvs: proposed.toBlindedPaths.generateTrampolineOnion.encodedTlvs },
  ].map((hop) => proposedHop(hop).payload),
} as const;

describe('the records of a dialect', () => {
  const typeOf = (dialect: keyof typeof trampolineDialects, field: keyof TrampolinePayload) =>
    trampolineDialects[dialect].payload.typeOf(field);

  it('are those of eclair, Phoenix and Electrum', () => {
    expect(typesOf(deployed.records)).toMatchObject({
      invoice_features: typeOf('deployed', 'recipientFeatures'),
      outgoing_node_id: typeOf('deployed', 'outgoingNodeId'),
      invoice_routing_info: typeOf('deployed', 'invoiceRoutingInfo'),
      outgoing_blinded_paths: typeOf('deployed', 'recipientBlindedPaths'),
      trampoline_onion: BigInt(payloadRecords[trampolineDialects.deployed.packetRecord][0]),
    });
  });

  it('are those of BOLT proposal 836', () => {
    expect(typesOf(proposed.records)).toEqual({
      outgoing_node_id: typeOf('proposed', 'outgoingNodeId'),
      recipient_features: typeOf('proposed', 'recipientFeatures'),
      recipient_blinded_paths: typeOf('proposed', 'recipientBlindedPaths'),
      trampoline_onion_packet: BigInt(payloadRecords[trampolineDialects.proposed.packetRecord][0]),
    });
  });

  it.each(['deployed', 'proposed'] as const)('are read and written as in the vectors (%s)', (dialect) => {
    const { payload } = trampolineDialects[dialect];
    expect(payloads[dialect].length).toBeGreaterThan(8);
    for (const bytes of payloads[dialect]) expect(toHex(payload.encode(decoded(dialect, bytes)))).toBe(toHex(bytes));
  });

  it('mean what the vectors say', () => {
    const [relay, toHints, toPaths] = deployed.payloads.map(({ bytes }) => decoded('deployed', unframed(bytes)));
    const amounts = { amtToForward: 561n, outgoingCltvValue: 42 };
    const node = fromHex('02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619');
    expect(relay).toEqual({ ...amounts, outgoingNodeId: node });
    const hint = {
      nodeId: expect.anything(),
      shortChannelId: 2n,
      feeBaseMsat: 20,
      feeProportionalMillionths: 150,
      cltvExpiryDelta: 12,
    };
    expect(toHints?.invoiceRoutingInfo?.map(({ length }) => length)).toEqual([1, 2]);
    expect(toHints?.invoiceRoutingInfo?.[1]?.[0]).toEqual(hint);
    expect(toHints).toMatchObject({ ...amounts, outgoingNodeId: node, recipientFeatures: Uint8Array.of(10) });
    const info = {
      feeBaseMsat: 1000,
      feeProportionalMillionths: 678,
      cltvExpiryDelta: 82,
      htlcMinimumMsat: 300n,
      htlcMaximumMsat: 4_000_000n,
    };
    expect(toPaths?.recipientBlindedPaths).toMatchObject([info]);
  });

  it('of one dialect are not those of the other', () => {
    const [ofDeployed = new Uint8Array(0)] = payloads.deployed;
    const [ofProposed = new Uint8Array(0)] = payloads.proposed;
    expect(trampolineDialects.proposed.payload.decode(ofDeployed)).toMatchObject({ kind: 'invalid', type: 66098n });
    expect(trampolineDialects.deployed.payload.decode(ofProposed)).toMatchObject({ kind: 'invalid', type: 14n });
  });

  it.each(['deployed', 'proposed'] as const)(
    'never make the decoder throw, and are stable when read (%s)',
    (dialect) => {
      const { payload } = trampolineDialects[dialect];
      fc.assert(
        fc.property(
          fc.constantFrom(...payloads[dialect]),
          fc.constantFrom(...payloads[dialect]),
          fc.nat(),
          (one, other, seed) => {
            for (const changed of [pseudoRandomBytes(seed, seed % 1300), ...corruptions(one, other, seed)]) {
              const read = payload.decode(changed);
              if (read.kind === 'payload' && toHex(payload.encode(read.payload)) !== toHex(changed))
                throw new Error('not stable');
            }
          },
        ),
        { numRuns: Math.ceil(FUZZ_RUNS / CORRUPTIONS / 4) },
      );
    },
  );
});

describe('the dialect of features', () => {
  it.each([
    [[148], 'deployed'],
    [[149], 'deployed'],
    [[150], 'deployed'],
    [[151], 'deployed'],
    [[56], 'proposed'],
    [[57], 'proposed'],
    [[57, 149], 'deployed'],
    [[8, 14, 17], undefined],
  ])('%s is %s', (bits, dialect) => expect(dialectOf(featuresFromBits(bits))).toBe(dialect));
});
