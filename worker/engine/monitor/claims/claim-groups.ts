import { locktimeOf, type Claim } from './claim.ts';
import { claimName, isFixed } from './claim-transaction.ts';

/** Closer to its deadline the counterparty may take an output in time to pin what else is taken with it. */
const PINNABLE_WITHIN = 12;
/** A hundred witnesses of HTLCs: well below the 100,000 vbytes that the network relays. */
const MOST_CLAIMS = 100;

/**
 * What may be taken together: claims of one lock time and one deadline that the counterparty could all take too, or none of
 * them. One that it takes from a transaction of many makes the whole transaction invalid, and what has time must not pay for
 * the haste of what has none. The most urgent come first, while there are coins.
 */
export function grouped(claims: readonly Claim[], height: number): readonly (readonly Claim[])[] {
  const groups = new Map<string, Claim[]>();
  for (const claim of claims) {
    const name = groupOf(claim, height);
    groups.set(name, [...(groups.get(name) ?? []), claim]);
  }
  const urgent = [...groups.values()].toSorted((a, b) => (deadlineOf(a) ?? Infinity) - (deadlineOf(b) ?? Infinity));
  return urgent.flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / MOST_CLAIMS) }, (_, index) =>
      group.slice(index * MOST_CLAIMS, (index + 1) * MOST_CLAIMS),
    ),
  );
}

/** Whether the counterparty could take one of them too, sooner or later. */
export const isContested = (claims: readonly Claim[], height: number): boolean =>
  claims.some((claim) => claim.deadline !== undefined || isPinnable(claim, height));

/** The earliest of several. */
export function deadlineOf(claims: readonly Claim[]): number | undefined {
  const deadlines = claims.flatMap(({ deadline }) => deadline ?? []);
  return deadlines.length === 0 ? undefined : Math.min(...deadlines);
}

function groupOf(claim: Claim, height: number): string {
  if (isFixed([claim])) return claimName(claim.outpoint);
  const shape = claim.kind === 'holderHtlc' ? 'htlc' : 'claim';
  return [shape, locktimeOf(claim), claim.deadline, isPinnable(claim, height)].join(' ');
}

/** Whether the counterparty could spend an output too, now or soon. */
function isPinnable(claim: Claim, height: number): boolean {
  switch (claim.kind) {
    case 'delayed':
    case 'toRemote':
      return false;
    case 'revokedHtlc':
      return true;
    case 'holderHtlc':
    case 'counterpartyHtlc':
    case 'revokedToLocal':
      return claim.deadline === undefined || claim.deadline - height <= PINNABLE_WITHIN;
    default:
      return claim satisfies never;
  }
}
