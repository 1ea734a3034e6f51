import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { decodeFailure, type Failure } from '../../../../worker/engine/onion/failure-message.ts';
import {
  buildFailure,
  readReturnPacket,
  wrapFailure,
  wrapReturnPacket,
} from '../../../../worker/engine/onion/failures.ts';
import { readFulfillment, wrapFulfillment } from '../../../../worker/engine/onion/fulfillment.ts';
import {
  answerUpstream,
  readTrampolineFailure,
} from '../../../../worker/engine/onion/trampoline/trampoline-failures.ts';
import {
  failTrampoline,
  passOnFailure,
  wrapTrampolineFulfillment,
} from '../../../../worker/engine/onion/trampoline/trampoline-layers.ts';
import deployed from '../../../vectors/trampoline-deployed.json' with { type: 'json' };
import proposed from '../../../vectors/trampoline-proposed.json' with { type: 'json' };

const held = { holdTimeMs: 500, trampolineHoldTimeMs: 300 };
const refused: Failure = { kind: 'incorrect_or_unknown_payment_details', htlcMsat: 100_000_000n, height: 800_000 };

describe('a failure of the payee in BOLT proposal 836', () => {
  const { failureEve, failureDave, failureCarol, failureBob, failureAlice } = proposed.failureOfPayee;
  const ofEve = {
    outerSecret: fromHex(failureEve.onionSharedSecret),
    trampolineSecret: fromHex(failureEve.trampolineOnionSharedSecret),
  };
  const ofCarol = {
    outerSecret: fromHex(failureCarol.upstreamOnionSharedSecret),
    trampolineSecret: fromHex(failureCarol.upstreamTrampolineOnionSharedSecret),
  };
  const downstream = failureCarol.downstreamSharedSecrets.map(fromHex);
  const secrets = {
    outer: failureAlice.onionSharedSecrets.map(fromHex),
    trampoline: failureAlice.trampolineOnionSharedSecrets.map(fromHex),
  };

  it('has the layers of both onions at every trampoline node, as in the vector', () => {
    const byEve = failTrampoline('proposed', { ...ofEve, ...held }, refused);
    expect(toHex(byEve.reason)).toBe(failureEve.failurePacket);
    const byDave = wrapReturnPacket(fromHex(failureDave.onionSharedSecret), byEve, 100);
    expect(toHex(byDave.reason)).toBe(failureDave.failurePacket);
    const reading = readReturnPacket(downstream, byDave);
    const answer = answerUpstream('proposed', [{ reading, hopCount: 2 }]);
    if (answer.kind !== 'passOn') throw new Error(answer.kind);
    const byCarol = passOnFailure({ ...ofCarol, ...held }, answer.unwrapped);
    expect(toHex(byCarol.reason)).toBe(failureCarol.failurePacket);
    const byBob = wrapReturnPacket(fromHex(failureBob.onionSharedSecret), byCarol, 700);
    expect(toHex(byBob.reason)).toBe(failureBob.failurePacket);
  });

  it('is the payee’s to the sender', () => {
    const reading = readTrampolineFailure(secrets, { reason: fromHex(failureBob.failurePacket) });
    expect(reading).toEqual({
      kind: 'failed',
      origin: { kind: 'behind', hopIndex: 1 },
      failure: refused,
      holdTimesMs: [],
    });
  });

  it('comes with the hold times of nodes on both onions', () => {
    const byEve = failTrampoline('proposed', { ...ofEve, ...held }, refused);
    const byDave = wrapReturnPacket(fromHex(failureDave.onionSharedSecret), byEve, 100);
    const reading = readReturnPacket(downstream, byDave);
    if (reading.kind !== 'garbled') throw new Error('readable');
    const byCarol = passOnFailure({ ...ofCarol, holdTimeMs: 1200, trampolineHoldTimeMs: 900 }, reading.unwrapped);
    const byBob = wrapReturnPacket(fromHex(failureBob.onionSharedSecret), byCarol, 1500);
    // Bob, then Carol in the outer onion and in the trampoline onion, then Eve in the trampoline onion.
    expect(readTrampolineFailure(secrets, byBob).holdTimesMs).toEqual([1500, 1200, 900, 300]);
  });
});

describe('a failure of the trampoline node', () => {
  it('has both layers in BOLT proposal 836, as in the vector', () => {
    const { failureCarol, failureBob, failureAlice } = proposed.failureOnBlindedPath;
    const layers = {
      outerSecret: fromHex(failureCarol.upstreamOnionSharedSecret),
      trampolineSecret: fromHex(failureCarol.upstreamTrampolineOnionSharedSecret),
    };
    const failure: Failure = { kind: 'temporary_trampoline_failure' };
    const { reason } = failTrampoline('proposed', { ...layers, ...held }, failure);
    expect(toHex(reason)).toBe(failureCarol.failurePacket);
    const byBob = wrapFailure(fromHex(failureBob.onionSharedSecret), reason);
    expect(toHex(byBob)).toBe(failureBob.failurePacket);
    const secrets = {
      outer: failureAlice.onionSharedSecrets.map(fromHex),
      trampoline: failureAlice.trampolineOnionSharedSecrets.map(fromHex),
    };
    expect(readTrampolineFailure(secrets, { reason: byBob })).toMatchObject({
      origin: { kind: 'trampoline' },
      failure,
    });
  });

  const [vector] = deployed.cases;
  const outer = vector?.outerSharedSecrets.map(fromHex) ?? [];
  const trampoline = vector?.trampolineSharedSecrets.map(fromHex) ?? [];
  const [outerSecret = new Uint8Array(0)] = outer;
  const [trampolineSecret = new Uint8Array(0)] = trampoline;

  it.each(vector?.failures ?? [])('has the outer layer as deployed: $failureMessage', ({ failureMessage, packet }) => {
    const failure = decodeFailure(fromHex(failureMessage));
    expect(failure.kind).not.toBe('unknown');
    const returned = failTrampoline('deployed', { outerSecret, trampolineSecret, ...held }, failure);
    expect(toHex(returned.reason)).toBe(packet);
    const reading = readTrampolineFailure({ outer, trampoline }, returned);
    expect(reading).toEqual({ kind: 'failed', origin: { kind: 'trampoline' }, failure, holdTimesMs: [500] });
  });

  it('has the outer layer also in the proposal when the trampoline onion was not for it', () => {
    const { reason } = failTrampoline('proposed', { outerSecret, ...held }, refused);
    expect(toHex(reason)).toBe(toHex(buildFailure(outerSecret, refused)));
  });

  it('is the payee’s when only a payee can say so', () => {
    const reason = buildFailure(outerSecret, refused);
    const reading = readTrampolineFailure({ outer, trampoline }, { reason });
    expect(reading).toMatchObject({
      kind: 'failed',
      origin: { kind: 'behind', hopIndex: undefined },
      failure: refused,
    });
  });
});

describe('what comes with the preimage', () => {
  it('tells the sender how long nodes on both onions held it', () => {
    const payee = wrapFulfillment(new Uint8Array(32).fill(6), {}, 600);
    const next = wrapTrampolineFulfillment(
      {
        outerSecret: new Uint8Array(32).fill(3),
        trampolineSecret: new Uint8Array(32).fill(4),
        holdTimeMs: 300,
        trampolineHoldTimeMs: 400,
      },
      payee,
    );
    const secrets = [3, 4, 6].map((byte) => new Uint8Array(32).fill(byte));
    expect(readFulfillment(secrets, next).holdTimesMs).toEqual([300, 400, 600]);
  });
});
