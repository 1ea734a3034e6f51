import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../../worker/engine/onion/failure-message.ts';
import {
  buildFailure,
  readReturnPacket,
  wrapFailure,
  wrapReturnPacket,
  type ReturnPacket,
} from '../../../../worker/engine/onion/failures.ts';
import {
  answerUpstream,
  readTrampolineFailure,
} from '../../../../worker/engine/onion/trampoline/trampoline-failures.ts';
import { flipped } from '../fixtures.ts';

const refused: Failure = { kind: 'incorrect_or_unknown_payment_details', htlcMsat: 100_000_000n, height: 800_000 };

describe('the sender of a payment through a trampoline node', () => {
  const outer = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));
  const trampoline = [4, 5, 6].map((byte) => new Uint8Array(32).fill(byte));
  const all = [...outer, ...trampoline];
  const failed = (from: number): ReturnPacket =>
    all.slice(0, from).reduceRight<ReturnPacket>((packet, secret) => wrapReturnPacket(secret, packet, 0), {
      reason: buildFailure(all[from] ?? new Uint8Array(32), { kind: 'temporary_node_failure' }),
    });

  it.each([
    [0, { kind: 'outerHop', hopIndex: 0 }],
    [1, { kind: 'outerHop', hopIndex: 1 }],
    [2, { kind: 'trampoline' }],
    [3, { kind: 'trampoline' }],
    [4, { kind: 'behind', hopIndex: 1 }],
    [5, { kind: 'behind', hopIndex: 2 }],
  ])('knows by the layer %d that it is of %s', (from, origin) => {
    expect(readTrampolineFailure({ outer, trampoline }, failed(from))).toMatchObject({ kind: 'failed', origin });
  });

  it('knows between whom it was garbled', () => {
    const garbledBy = (garbler: number) =>
      all.reduceRight<ReturnPacket>(
        (packet, secret, index) => {
          const wrapped = wrapReturnPacket(secret, packet, 0);
          return index === garbler ? { ...wrapped, reason: flipped(wrapped.reason) } : wrapped;
        },
        { reason: new Uint8Array(292) },
      );
    const blamed = (garbler: number) => {
      const reading = readTrampolineFailure({ outer, trampoline }, garbledBy(garbler));
      return reading.kind === 'garbled' ? reading.blamed : [];
    };
    expect(blamed(1)).toEqual([
      { kind: 'outerHop', hopIndex: 0 },
      { kind: 'outerHop', hopIndex: 1 },
    ]);
    expect(blamed(3)).toEqual([{ kind: 'trampoline' }, { kind: 'trampoline' }]);
    expect(blamed(4)).toEqual([{ kind: 'trampoline' }, { kind: 'behind', hopIndex: 1 }]);
  });
});

describe('what a trampoline node answers when its parts have failed', () => {
  const route = [7, 8].map((byte) => new Uint8Array(32).fill(byte));
  const [first = new Uint8Array(32), last = new Uint8Array(32)] = route;
  const from = (hop: number, failure: Failure) => {
    const reason = hop === 0 ? buildFailure(first, failure) : wrapFailure(first, buildFailure(last, failure));
    return { reading: readReturnPacket(route, { reason }), hopCount: 2 };
  };
  const garbage = { reading: readReturnPacket(route, { reason: new Uint8Array(292) }), hopCount: 2 };
  const temporary = { kind: 'fault', fault: 'temporary' };

  it.each<Failure>([
    refused,
    { kind: 'trampoline_fee_insufficient' },
    { kind: 'unknown_next_peer' },
    { kind: 'invalid_onion_payload', type: 8n, offset: 0 },
  ])('is what the next node says, as deployed: $kind', (failure) => {
    expect(answerUpstream('deployed', [from(1, failure)])).toEqual({ kind: 'repeat', failure });
    expect(answerUpstream('proposed', [from(1, failure)])).toEqual(temporary);
  });

  it.each<Failure>([
    { kind: 'temporary_channel_failure', channelUpdate: new Uint8Array(0) },
    { kind: 'invalid_onion_hmac', sha256OfOnion: new Uint8Array(32) },
    { kind: 'invalid_onion_blinding', sha256OfOnion: new Uint8Array(32) },
    { kind: 'mpp_timeout' },
    { kind: 'unknown', code: 0x2fff, data: new Uint8Array(3) },
  ])('is no more than that it failed where the next node speaks of what we did: $kind', (failure) => {
    for (const dialect of ['deployed', 'proposed'] as const)
      expect(answerUpstream(dialect, [from(1, failure)])).toEqual(temporary);
  });

  it('is never what a node before the next one says', () => {
    for (const dialect of ['deployed', 'proposed'] as const)
      expect(answerUpstream(dialect, [from(0, { kind: 'unknown_next_peer' })])).toEqual(temporary);
  });

  it('is in the proposal whatever cannot be read: it may be for the sender', () => {
    expect(answerUpstream('proposed', [garbage])).toMatchObject({ kind: 'passOn' });
    expect(answerUpstream('deployed', [garbage])).toEqual(temporary);
  });

  it('is the first that says something, of several parts, and something without any', () => {
    const parts = [from(0, { kind: 'unknown_next_peer' }), from(1, refused), from(1, { kind: 'unknown_next_peer' })];
    expect(answerUpstream('deployed', parts)).toEqual({ kind: 'repeat', failure: refused });
    expect(answerUpstream('deployed', [])).toEqual(temporary);
  });
});
