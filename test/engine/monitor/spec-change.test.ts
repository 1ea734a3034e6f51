import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedSpec, specChange } from '../../../worker/engine/monitor/spec-change.ts';
import { feeratePerKw, msat } from '../../../worker/engine/primitives/units.ts';
import type { ChannelHtlc } from '../../../worker/engine/transactions/channel-htlc.ts';
import type { CommitmentSpec } from '../../../worker/engine/transactions/commitment-spec.ts';

const htlc: fc.Arbitrary<ChannelHtlc> = fc.record({
  direction: fc.constantFrom('inbound' as const, 'outbound' as const),
  id: fc.bigInt(0n, 12n),
  amountMsat: fc.bigInt(1n, 3n).map(msat),
  paymentHash: fc.nat(1).map((byte) => new Uint8Array(32).fill(byte)),
  cltvExpiry: fc.nat(1),
  onion: fc.constant(new Uint8Array(0)),
});

const spec: fc.Arbitrary<CommitmentSpec> = fc.record({
  feeratePerKw: fc.integer({ min: 253, max: 9_000 }).map(feeratePerKw),
  toHolderMsat: fc.bigInt(0n, 1n << 50n).map(msat),
  toCounterpartyMsat: fc.bigInt(0n, 1n << 50n).map(msat),
  htlcs: fc.uniqueArray(htlc, { selector: ({ direction, id }) => `${direction} ${id}` }),
});

describe('a commitment as a change of another', () => {
  it('is the same again, whatever came, went, or changed its place', () => {
    fc.assert(
      fc.property(spec, spec, (before, after) => {
        expect(changedSpec(before, specChange(before, after))).toEqual(after);
      }),
    );
  });

  it('names only what came and went', () => {
    fc.assert(
      fc.property(spec, fc.nat(), (before, which) => {
        const [gone, ...rest] = [...before.htlcs.slice(which % 9), ...before.htlcs.slice(0, which % 9)];
        const left = before.htlcs.filter((each) => rest.includes(each));
        const added: ChannelHtlc = { ...(gone ?? SOME), id: 99n };
        const change = specChange(before, { ...before, htlcs: [...left, added] });
        expect([change.gone.length, change.added.length]).toEqual([gone === undefined ? 0 : 1, 1]);
      }),
    );
  });
});

const SOME: ChannelHtlc = {
  direction: 'inbound',
  id: 1n,
  amountMsat: msat(1n),
  paymentHash: new Uint8Array(32),
  cltvExpiry: 1,
  onion: new Uint8Array(0),
};
