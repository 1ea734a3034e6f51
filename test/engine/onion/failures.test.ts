import { describe, expect, it } from 'vitest';
import { equalBytes, fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { Failure, FailureKind } from '../../../worker/engine/onion/failure-message.ts';
import {
  decodeFailure,
  encodeFailure,
  failureCode,
  failureMessages,
  failureOfMalformed,
} from '../../../worker/engine/onion/failure-message.ts';
import { buildFailure, decryptFailure, wrapFailure } from '../../../worker/engine/onion/failures.ts';
import { onionKey } from '../../../worker/engine/onion/onion-keys.ts';
import type { Fields } from '../../../worker/engine/wire/schema.ts';
import codes from '../../vectors/bolt04-failure-codes.json' with { type: 'json' };
import vector from '../../vectors/bolt04-onion-error.json' with { type: 'json' };
import deployed from '../../vectors/trampoline-deployed.json' with { type: 'json' };
import proposed from '../../vectors/trampoline-proposed.json' with { type: 'json' };
import { arbitraryOf, pseudoRandomBytes } from '../wire/arbitrary.ts';
import { FUZZ_RUNS, corruptions } from '../wire/fuzz.ts';
import fc from 'fast-check';

const sharedSecrets = vector.hops.map((hop) => fromHex(hop.sharedSecret));
const lastSecret = sharedSecrets.at(-1) ?? new Uint8Array(0);

const wrapBackTo = (first: number, from: number, packet: Uint8Array): Uint8Array =>
  sharedSecrets
    .slice(first, from)
    .reverse()
    .reduce((wrapped, secret) => wrapFailure(secret, wrapped), packet);

describe('BOLT 4 return packet', () => {
  it('uses the keys of the vector', () => {
    expect(sharedSecrets.map((secret) => toHex(onionKey('ammag', secret)))).toEqual(
      vector.hops.map((hop) => hop.ammagKey),
    );
    expect(toHex(onionKey('um', lastSecret))).toBe(vector.umKey);
  });

  it('is built and wrapped as in the vector', () => {
    const built = buildFailure(lastSecret, { kind: 'temporary_node_failure' });
    expect(toHex(encodeFailure({ kind: 'temporary_node_failure' }))).toBe(vector.failure);
    expect(toHex(wrapBackTo(0, 4, built))).toBe(vector.packet);
  });

  it('is attributed as in the vector', () => {
    expect(decryptFailure(sharedSecrets, fromHex(vector.packet))).toEqual({
      hopIndex: 4,
      failure: { kind: 'temporary_node_failure' },
    });
  });

  it.each([0, 1, 2, 3, 4])('is attributed to hop %d', (hopIndex) => {
    const failure: Failure = { kind: 'incorrect_or_unknown_payment_details', htlcMsat: 100n, height: 700_000 };
    const built = buildFailure(sharedSecrets[hopIndex] ?? lastSecret, failure);
    expect(decryptFailure(sharedSecrets, wrapBackTo(0, hopIndex, built))).toEqual({ hopIndex, failure });
  });

  it('is attributed on a route of 27 hops', () => {
    const secrets = Array.from({ length: 27 }, (_, index) => pseudoRandomBytes(index + 1, 32));
    const built = buildFailure(secrets[26] ?? lastSecret, { kind: 'mpp_timeout' });
    const wrapped = secrets
      .slice(0, 26)
      .reverse()
      .reduce((packet, secret) => wrapFailure(secret, packet), built);
    expect(decryptFailure(secrets, wrapped)).toEqual({ hopIndex: 26, failure: { kind: 'mpp_timeout' } });
  });

  it('carries a failure that is longer than the padding', () => {
    const failure: Failure = { kind: 'temporary_channel_failure', channelUpdate: pseudoRandomBytes(1, 400) };
    expect(
      decryptFailure(sharedSecrets, wrapBackTo(0, 2, buildFailure(sharedSecrets[2] ?? lastSecret, failure))),
    ).toEqual({ hopIndex: 2, failure });
  });

  it('is nobody’s when it was garbled, and never throws', () => {
    const packet = fromHex(vector.packet);
    for (let seed = 0; seed < FUZZ_RUNS / 5000; seed++)
      for (const changed of corruptions(packet, pseudoRandomBytes(seed, 300), seed))
        expect(decryptFailure(sharedSecrets, changed) === undefined).toBe(!equalBytes(changed, packet));
    expect(decryptFailure(sharedSecrets, new Uint8Array(0))).toBeUndefined();
    expect(decryptFailure([], packet)).toBeUndefined();
  });
});

describe('failure messages', () => {
  it('have the codes of BOLT 4, and those of trampoline nodes', () => {
    const ours = Object.entries(failureMessages).map(([name, { code }]) => [name, code]);
    const ofTrampolines = [...deployed.failures, ...proposed.failures].map(({ name, code }) => [name, code]);
    expect(Object.fromEntries(ours)).toEqual({ ...codes, ...Object.fromEntries(ofTrampolines) });
  });

  it('have the fields of BOLT proposal 836', () => {
    const fields = { feeBaseMsat: 1, feeProportionalMillionths: 2, cltvExpiryDelta: 3 };
    const failure: Failure = { kind: 'trampoline_fee_or_expiry_insufficient', ...fields };
    expect(toHex(encodeFailure(failure))).toBe('201a00000001000000020003');
  });

  it('are read also with what Electrum adds to unknown_next_peer', () => {
    expect(decodeFailure(fromHex(`400a${deployed.nextTrampolinesData.bytes}`))).toEqual({ kind: 'unknown_next_peer' });
  });

  it.each(Object.keys(failureMessages) as FailureKind[])('%s is read back', (kind) => {
    const fields: Fields = failureMessages[kind].fields;
    fc.assert(
      fc.property(arbitraryOf({ kind: 'struct', fields }), (values) => {
        const failure = { kind, ...(values as object) } as unknown as Failure;
        const bytes = encodeFailure(failure);
        expect(decodeFailure(bytes)).toEqual(failure);
        expect(decodeFailure(Uint8Array.of(...bytes, 1, 2, 3))).toEqual(failure);
        if (bytes.length > 2) expect(decodeFailure(bytes.slice(0, -1)).kind).toBe('unknown');
      }),
      { numRuns: 20 },
    );
  });

  it('keep an unknown code and its data', () => {
    const failure: Failure = { kind: 'unknown', code: 0x4fff, data: fromHex('0102') };
    expect(decodeFailure(fromHex('4fff0102'))).toEqual(failure);
    expect(toHex(encodeFailure(failure))).toBe('4fff0102');
  });

  it('come from update_fail_malformed_htlc only with BADONION', () => {
    const hash = new Uint8Array(32).fill(7);
    expect(failureOfMalformed(0xc005, hash)).toEqual({ kind: 'invalid_onion_hmac', sha256OfOnion: hash });
    expect(failureOfMalformed(0x400f, hash)).toBeUndefined();
    const strange = failureOfMalformed(0x8fff, hash);
    expect(strange && failureCode(strange)).toBe(0x8fff);
  });
});
