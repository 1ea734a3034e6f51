import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../worker/engine/primitives/bytes.ts';
import {
  counterpartyVariants,
  holderVariant,
  isRelayed,
  type ClosingDraft,
} from '../../../worker/engine/transactions/closing-outputs.ts';

const P2WPKH = fromHex(`0014${'11'.repeat(20)}`);
const P2PKH = fromHex(`76a914${'22'.repeat(20)}88ac`);

const draft = (toHolderSat: bigint, toCounterpartySat: bigint, change: Partial<ClosingDraft> = {}): ClosingDraft => ({
  fundingTxid: new Uint8Array(32),
  fundingOutputIndex: 0,
  fundingSat: 1_000_000n,
  holderIsOpener: true,
  holderFundingPubkey: new Uint8Array(33),
  counterpartyFundingPubkey: new Uint8Array(33),
  toHolderSat,
  toCounterpartySat,
  holderScript: P2WPKH,
  counterpartyScript: P2WPKH,
  feeSat: 500n,
  ...change,
});

describe('our signature of a closing transaction', () => {
  it.each([
    [6_000n, 4_000n, 'both'],
    [6_000n, 354n, 'both'],
    [6_000n, 353n, 'holder'],
    [6_000n, 0n, 'holder'],
    [854n, 4_000n, 'both'],
    [853n, 4_000n, 'counterparty'],
    [500n, 353n, undefined],
  ])('of %d and %d sat leaves out what is below our dust limit after the fee', (holder, counterparty, outputs) => {
    expect(holderVariant(draft(holder, counterparty), 354n)).toBe(outputs);
  });

  it('leaves out our own output where its script would not be relayed', () => {
    const [small, large] = [1_045n, 1_046n].map((sat) => draft(sat, 4_000n, { holderScript: P2PKH }));
    expect(small && holderVariant(small, 354n)).toBe('counterparty');
    expect(large && holderVariant(large, 354n)).toBe('both');
  });
});

describe("the counterparty's signature of a closing transaction", () => {
  it('may be for any that has our output', () => {
    expect(counterpartyVariants(draft(6_000n, 4_000n), 546n)).toEqual(['both', 'holder']);
    expect(counterpartyVariants(draft(6_000n, 0n), 546n)).toEqual(['holder']);
  });

  it('may leave out ours below its own dust limit, and not a satoshi above', () => {
    expect(counterpartyVariants(draft(1_045n, 4_000n), 546n)).toEqual(['both', 'holder', 'counterparty']);
    expect(counterpartyVariants(draft(1_046n, 4_000n), 546n)).toEqual(['both', 'holder']);
    expect(counterpartyVariants(draft(500n, 4_000n), 546n)).toEqual(['counterparty']);
  });

  it('is not relayed with an output below the dust limit of its script', () => {
    expect(isRelayed(draft(6_000n, 450n), 'both')).toBe(true);
    const legacy = { counterpartyScript: P2PKH };
    expect(isRelayed(draft(6_000n, 545n, legacy), 'both')).toBe(false);
    expect(isRelayed(draft(6_000n, 545n, legacy), 'holder')).toBe(true);
    expect(isRelayed(draft(6_000n, 546n, legacy), 'both')).toBe(true);
    expect(isRelayed(draft(793n, 4_000n), 'both')).toBe(false);
    expect(isRelayed(draft(793n, 4_000n), 'counterparty')).toBe(true);
  });
});
