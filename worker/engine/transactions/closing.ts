import { compareBytes } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { fundingScript } from './channel-scripts.ts';
import { segwitV0Sighash } from './sighash.ts';
import { transactionWeight, withWitness, type Transaction, type TransactionOutput } from './transaction.ts';

/** Whose outputs a closing transaction has: there are two variants for each side (BOLT 3, Legacy Closing Transaction). */
export type ClosingOutputs = 'both' | 'holder' | 'counterparty';

/** All that decides a mutual close by `closing_signed` (BOLT 3, Legacy Closing Transaction). */
export interface ClosingInput {
  /** 32 bytes, wire order */
  readonly fundingTxid: Uint8Array;
  readonly fundingOutputIndex: number;
  readonly fundingSat: bigint;
  readonly holderIsOpener: boolean;
  readonly holderFundingPubkey: Uint8Array;
  readonly counterpartyFundingPubkey: Uint8Array;
  readonly toHolderSat: bigint;
  readonly toCounterpartySat: bigint;
  /** Output scripts that the two sides named in `shutdown`. */
  readonly holderScript: Uint8Array;
  readonly counterpartyScript: Uint8Array;
  readonly feeSat: bigint;
  readonly outputs: ClosingOutputs;
}

export interface Closing {
  /** Unsigned. */
  readonly tx: Transaction;
  /** The witness script of the funding output. */
  readonly fundingScript: Uint8Array;
}

/** Two signatures of at most 72 bytes with their sighash byte, the empty element, the script, and their lengths. */
const LONGEST_SIGNATURE = 72;

/** What each side gets: the fee comes from the opener's output. Throws `ClosingFeeTooHigh` where the opener has less. */
export function closingAmounts(
  input: Pick<ClosingInput, 'toHolderSat' | 'toCounterpartySat' | 'holderIsOpener' | 'feeSat'>,
): { readonly holderSat: bigint; readonly counterpartySat: bigint } {
  const { feeSat, holderIsOpener } = input;
  const holderSat = input.toHolderSat - (holderIsOpener ? feeSat : 0n);
  const counterpartySat = input.toCounterpartySat - (holderIsOpener ? 0n : feeSat);
  if (holderSat < 0n || counterpartySat < 0n)
    throw new GlowwormError('ClosingFeeTooHigh', 'the closing fee is more than the opener has', { feeSat });
  return { holderSat, counterpartySat };
}

/** The closing transaction, its outputs in BIP 69 order. Throws `ClosingFeeTooHigh` where the opener can't pay the fee. */
export function buildClosing(input: ClosingInput): Closing {
  const { holderSat, counterpartySat } = closingAmounts(input);
  const holder = { amountSat: holderSat, script: input.holderScript };
  const counterparty = { amountSat: counterpartySat, script: input.counterpartyScript };
  const outputs = { both: [holder, counterparty], holder: [holder], counterparty: [counterparty] };
  return closingOf(input, outputs[input.outputs]);
}

/** The 32-byte hash that both sides sign. */
export const closingSighash = (closing: Closing, fundingSat: bigint): Uint8Array =>
  segwitV0Sighash(closing.tx, 0, closing.fundingScript, fundingSat, 'ALL');

/** Weight with an output to each script and signatures of the longest form: an upper bound of what will be broadcast. */
export function closingWeight(outputScripts: readonly Uint8Array[]): number {
  const pubkey = new Uint8Array(33);
  const funding = { fundingTxid: new Uint8Array(32), fundingOutputIndex: 0 };
  const { tx, fundingScript } = closingOf(
    { ...funding, holderFundingPubkey: pubkey, counterpartyFundingPubkey: pubkey },
    outputScripts.map((script) => ({ amountSat: 0n, script })),
  );
  const signature = new Uint8Array(LONGEST_SIGNATURE);
  return transactionWeight(withWitness(tx, 0, [new Uint8Array(0), signature, signature, fundingScript]));
}

/** Fee in satoshi of a closing transaction at a feerate, rounded up so that the feerate is reached. */
export const closingFeeSat = (outputScripts: readonly Uint8Array[], feeratePerKw: number): bigint =>
  (BigInt(closingWeight(outputScripts)) * BigInt(feeratePerKw) + 999n) / 1000n;

type FundingPart = Pick<
  ClosingInput,
  'fundingTxid' | 'fundingOutputIndex' | 'holderFundingPubkey' | 'counterpartyFundingPubkey'
>;

function closingOf(input: FundingPart, outputs: readonly TransactionOutput[]): Closing {
  const outpoint = { txid: input.fundingTxid, vout: input.fundingOutputIndex };
  return {
    tx: {
      version: 2,
      inputs: [{ ...outpoint, sequence: 0xffff_ffff, scriptSig: new Uint8Array(0), witness: [] }],
      outputs: outputs.toSorted(bip69),
      locktime: 0,
    },
    fundingScript: fundingScript(input.holderFundingPubkey, input.counterpartyFundingPubkey),
  };
}

function bip69(a: TransactionOutput, b: TransactionOutput): number {
  if (a.amountSat !== b.amountSat) return a.amountSat < b.amountSat ? -1 : 1;
  return compareBytes(a.script, b.script);
}
