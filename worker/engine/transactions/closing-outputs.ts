import { closingAmounts, type ClosingInput, type ClosingOutputs } from './closing.ts';
import { dustLimitSat } from './shutdown-script.ts';

/** No channel has a higher `dust_limit_satoshis`, on either side: what is left out of a close is never more. */
export const MAX_DUST_LIMIT_SAT = 1000n;

/** A closing transaction of which it is not decided yet whose outputs it has. */
export type ClosingDraft = Omit<ClosingInput, 'outputs'>;

/**
 * What our own signature is for: outputs below our dust limit are left out, and ours where nobody would relay it (BOLT 3,
 * Legacy Closing Transaction: "MAY eliminate its own output"). `undefined` where nothing is left.
 */
export function holderVariant(draft: ClosingDraft, holderDustLimitSat: bigint): ClosingOutputs | undefined {
  const { holderSat, counterpartySat } = closingAmounts(draft);
  const holder = holderSat > 0n && holderSat >= holderDustLimitSat && holderSat >= dustLimitSat(draft.holderScript);
  const counterparty = counterpartySat > 0n && counterpartySat >= holderDustLimitSat;
  if (holder) return counterparty ? 'both' : 'holder';
  return counterparty ? 'counterparty' : undefined;
}

/**
 * What a signature of the counterparty may be for, the likeliest first. It may leave out its own output, whatever that is
 * worth to it, and ours only below its own dust limit: a signature for what lacks a larger one is not valid here.
 */
export function counterpartyVariants(draft: ClosingDraft, counterpartyDustLimitSat: bigint): readonly ClosingOutputs[] {
  const { holderSat, counterpartySat } = closingAmounts(draft);
  const variants: ClosingOutputs[] = [];
  if (holderSat > 0n && counterpartySat > 0n) variants.push('both');
  if (holderSat > 0n) variants.push('holder');
  if (counterpartySat > 0n && holderSat < counterpartyDustLimitSat) variants.push('counterparty');
  return variants;
}

/** Whether the network relays a variant: every output that it has is above the dust limit of its script (BOLT 3, Dust Limits). */
export function isRelayed(draft: ClosingDraft, outputs: ClosingOutputs): boolean {
  const { holderSat, counterpartySat } = closingAmounts(draft);
  const holder = outputs === 'counterparty' || holderSat >= dustLimitSat(draft.holderScript);
  return holder && (outputs === 'holder' || counterpartySat >= dustLimitSat(draft.counterpartyScript));
}
