import type { Claim } from './claim.ts';
import { RELAYED_PER_KW } from './claim-fees.ts';
import { grouped } from './claim-groups.ts';
import { isWorthMaking, worthTaking } from './claim-transaction.ts';

/** Those of a channel's claims that a transaction could take, at the least that is relayed: the others nobody ever gets. */
export const takableClaims = (
  claims: readonly Claim[],
  height: number,
  destinationScript: Uint8Array,
): readonly Claim[] =>
  grouped(claims, height).flatMap((group) => {
    const worth = worthTaking(group, RELAYED_PER_KW);
    return isWorthMaking(worth, RELAYED_PER_KW, destinationScript) ? worth : [];
  });
