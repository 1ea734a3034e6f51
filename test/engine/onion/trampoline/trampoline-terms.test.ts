import { describe, expect, it } from 'vitest';
import { failureCode } from '../../../../worker/engine/onion/failure-message.ts';
import { trampolineDialects } from '../../../../worker/engine/onion/trampoline/trampoline-dialect.ts';
import {
  relayFault,
  trampolineFeeMsat,
  wantedTerms,
  type TrampolineTerms,
} from '../../../../worker/engine/onion/trampoline/trampoline-terms.ts';
import deployed from '../../../vectors/trampoline-deployed.json' with { type: 'json' };

const terms: TrampolineTerms = { feeBaseMsat: 1000, feeProportionalMillionths: 100, cltvExpiryDelta: 144 };

describe('a trampoline node’s terms', () => {
  it.each(deployed.fees.fees)('take $feeMsat msat for $amountMsat', ({ amountMsat, feeMsat }) => {
    expect(trampolineFeeMsat(deployed.fees, BigInt(amountMsat))).toBe(BigInt(feeMsat));
  });

  const { blockHeight, minimumFee, expiryDelta, cases } = deployed.relay;

  // An amount of zero is refused before, as an invalid payload.
  it.each(cases.filter(({ failure }) => failure !== '4016'))('let $case pass or not as eclair does', (relay) => {
    const received = relay.parts.reduce((sum, { amountMsat }) => sum + amountMsat, 0);
    const fault = relayFault(
      {
        feeBaseMsat: minimumFee.baseMsat,
        feeProportionalMillionths: minimumFee.proportionalMillionths,
        cltvExpiryDelta: expiryDelta,
      },
      {
        receivedMsat: BigInt(received),
        cltvExpiry: Math.min(...relay.parts.map(({ cltvExpiry }) => cltvExpiry)),
        amtToForward: BigInt(relay.amountOutMsat),
        outgoingCltvValue: relay.expiryOut,
      },
      blockHeight,
    );
    const failure = fault && failureCode(trampolineDialects.deployed.failures[fault](terms)).toString(16);
    expect(failure ?? null).toBe(relay.failure);
  });

  it('are met to the millisatoshi and the block', () => {
    const amtToForward = 10_998_901n;
    const receivedMsat = amtToForward + trampolineFeeMsat(terms, amtToForward);
    const exact = { receivedMsat, cltvExpiry: 644, amtToForward, outgoingCltvValue: 500 };
    expect(relayFault(terms, exact, 499)).toBeUndefined();
    expect(relayFault(terms, { ...exact, receivedMsat: exact.receivedMsat - 1n }, 499)).toBe('feeInsufficient');
    expect(relayFault(terms, { ...exact, cltvExpiry: 643 }, 499)).toBe('expiryTooSoon');
    expect(relayFault(terms, exact, 500)).toBe('expiryTooSoon');
  });

  it('are told to the sender in the proposal’s dialect, and only that there are some in the other', () => {
    const { deployed: ours, proposed: theirs } = trampolineDialects;
    for (const fault of ['feeInsufficient', 'expiryTooSoon'] as const) {
      expect(wantedTerms(theirs.failures[fault](terms))).toEqual(terms);
      expect(wantedTerms(ours.failures[fault](terms))).toBe('more');
    }
    for (const fault of ['temporary', 'unknownNext'] as const)
      for (const { failures } of [ours, theirs]) expect(wantedTerms(failures[fault](terms))).toBeUndefined();
  });
});
