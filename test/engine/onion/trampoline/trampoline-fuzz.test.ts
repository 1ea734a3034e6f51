import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import type { TrampolineDialect, TrampolineEntry } from '../../../../worker/engine/onion/hop-instruction.ts';
import { encodePayload } from '../../../../worker/engine/onion/payloads.ts';
import { buildOnion, type OnionHop } from '../../../../worker/engine/onion/sphinx.ts';
import type { TrampolineInstruction } from '../../../../worker/engine/onion/trampoline/trampoline-instruction.ts';
import deployed from '../../../vectors/trampoline-deployed.json' with { type: 'json' };
import proposed from '../../../vectors/trampoline-proposed.json' with { type: 'json' };
import { pseudoRandomBytes } from '../../wire/arbitrary.ts';
import { CORRUPTIONS, FUZZ_RUNS, corruptions } from '../../wire/fuzz.ts';
import { unframed } from '../fixtures.ts';
import { nodeSecrets, proposedHop, readBy } from './fixtures.ts';

const paymentHash = fromHex('42'.repeat(32));
const amounts = { amtToForward: 100_000_000n, outgoingCltvValue: 800_000 };
const eve = secp.publicKey(nodeSecrets.eve);

describe('a trampoline onion of anybody', () => {
  const entry: Omit<TrampolineEntry, 'dialect' | 'packet'> = {
    kind: 'trampoline',
    ...amounts,
    totalMsat: 100_000_000n,
  };
  const carol = secp.publicKey(nodeSecrets.carol);
  const asked = (
    dialect: TrampolineDialect,
    payload: Uint8Array,
    behind: readonly OnionHop[],
  ): TrampolineInstruction => {
    const hops = [{ nodeId: carol, payload }, ...behind];
    const { packet } = buildOnion(secp, {
      sessionKey: nodeSecrets.bob,
      hops,
      associatedData: paymentHash,
      payloadsBytes: 1200,
    });
    return readBy(nodeSecrets.carol, { ...entry, dialect, packet }, paymentHash).instruction;
  };
  const last = { nodeId: eve, payload: encodePayload(amounts) };
  const everyPayload = [
    ...proposed.payment.generateAlice.trampolineHops.map((hop) => proposedHop(hop).payload),
    ...proposed.toBlindedTrampoline.generateTrampolineOnion.hops.map((hop) => proposedHop(hop).payload),
    unframed(proposed.toBlindedPaths.generateTrampolineOnion.encodedTlvs),
    ...deployed.cases.flatMap(({ trampolineHops }) => trampolineHops.map(({ payload }) => unframed(payload))),
  ];

  it('that is whole never makes the reader throw, whatever is changed', () => {
    const points = (instruction: TrampolineInstruction): readonly Uint8Array[] => {
      if (instruction.kind === 'relay') return [instruction.outgoingNodeId];
      if (instruction.kind !== 'relayToRecipient') return [];
      const { recipient } = instruction;
      if (recipient.kind === 'routeHints')
        return [recipient.nodeId, ...recipient.routeHints.flat().map(({ nodeId }) => nodeId)];
      return recipient.paths.flatMap(({ firstPathKey, hops }) => [
        firstPathKey,
        ...hops.map(({ blindedNodeId }) => blindedNodeId),
      ]);
    };
    const dialects = fc.constantFrom<TrampolineDialect>('deployed', 'proposed');
    fc.assert(
      fc.property(
        fc.constantFrom(...everyPayload),
        fc.constantFrom(...everyPayload),
        fc.nat(),
        dialects,
        (one, other, seed, dialect) => {
          for (const payload of corruptions(one, other, seed)) {
            if (payload.length < 2) continue;
            const instruction = asked(dialect, payload, seed % 2 === 0 ? [last] : []);
            if (points(instruction).some((point) => !secp.isPoint(point))) throw new Error('the curve would throw');
          }
        },
      ),
      { numRuns: Math.ceil(FUZZ_RUNS / CORRUPTIONS / 100) },
    );
  });

  it('that is no onion is answered with a value', () => {
    const pathKeys = [undefined, carol, new Uint8Array(33)];
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 1300 }), fc.constantFrom(...pathKeys), (seed, length, pathKey) => {
        const packet = pseudoRandomBytes(seed, length);
        const noise = { ...entry, dialect: 'proposed', packet, ...(pathKey && { pathKey }) } as const;
        expect(readBy(nodeSecrets.carol, noise, paymentHash).instruction.kind).toBe('fail');
      }),
      { numRuns: 200 },
    );
  });
});
