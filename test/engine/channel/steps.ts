import fc from 'fast-check';
import * as operation from '../../../worker/engine/channel/channel-operation.ts';
import { requestQuiescence } from '../../../worker/engine/channel/channel-quiescence.ts';
import { isRemovable } from '../../../worker/engine/channel/commitments.ts';
import { feeratePerKw } from '../../../worker/engine/primitives/units.ts';
import type { Removal } from '../../../worker/engine/transactions/commitment-spec.ts';
import { passed, type Party } from './party.ts';

/** Something that one side of a channel does. */
export type Step = { readonly who: 'opener' | 'fundee' } & (
  | { readonly kind: 'offer'; readonly amountMsat: bigint }
  | { readonly kind: 'remove'; readonly how: Removal['kind'] }
  | { readonly kind: 'fee'; readonly feeratePerKw: number }
  | { readonly kind: 'sign' | 'deliver' | 'quiesce' }
);

const who: fc.Arbitrary<Step['who']> = fc.constantFrom('opener' as const, 'fundee' as const);
const common: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ who, kind: fc.constant('offer' as const), amountMsat: fc.bigInt({ min: 1n, max: 9_000_000n }) }),
  fc.record({
    who,
    kind: fc.constant('remove' as const),
    how: fc.constantFrom('fail' as const, 'failMalformed' as const),
  }),
  fc.record({ who, kind: fc.constant('fee' as const), feeratePerKw: fc.integer({ min: 253, max: 3000 }) }),
  fc.record({ who, kind: fc.constant('sign' as const) }),
  { weight: 4, arbitrary: fc.record({ who, kind: fc.constant('deliver' as const) }) },
);

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 25, arbitrary: common },
  { weight: 1, arbitrary: fc.record({ who, kind: fc.constant('quiesce' as const) }) },
);

/** Does it; what cannot be done is left out. */
export function take(from: Party, to: Party, { kind, ...rest }: Step): void {
  if (kind === 'offer' && 'amountMsat' in rest) from.offer(rest.amountMsat);
  else if (kind === 'sign') from.sign();
  else if (kind === 'quiesce') from.apply(requestQuiescence(from.state));
  else if (kind === 'fee' && 'feeratePerKw' in rest)
    from.apply(operation.proposeFee(from.env, from.state, feeratePerKw(rest.feeratePerKw)));
  else if (kind === 'deliver') {
    const message = from.outbox.shift();
    if (message !== undefined) passed(to.receive(message));
  } else if (kind === 'remove' && 'how' in rest) {
    const { commitments } = from.state;
    const htlc = commitments.holderCommit.spec.htlcs.find(
      (h) => h.direction === 'inbound' && isRemovable(commitments, h.id),
    );
    if (htlc === undefined) return;
    const removal: Removal =
      rest.how === 'fail'
        ? { kind: 'fail', htlcId: htlc.id, reason: new Uint8Array(292).fill(3) }
        : { kind: 'failMalformed', htlcId: htlc.id, sha256OfOnion: new Uint8Array(32).fill(4), failureCode: 0xc005 };
    from.apply(operation.removeHtlc(from.state, removal));
  }
}
