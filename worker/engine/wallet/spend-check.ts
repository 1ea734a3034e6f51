import { schnorr } from '@noble/curves/secp256k1.js';
import { equalBytes } from '../primitives/bytes.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { p2pkh, p2wpkh } from '../transactions/script.ts';
import {
  SIGHASH_BYTE,
  segwitV0Sighash,
  sighashMidstate,
  taprootMidstate,
  taprootSighash,
  type SighashMidstate,
} from '../transactions/sighash.ts';
import { parseWitnessSignature } from '../transactions/signature.ts';
import type { Transaction, TransactionOutput } from '../transactions/transaction.ts';

/** An output that the wallet is paid with, where a transaction spends it. */
export interface OwnInput extends TransactionOutput {
  readonly inputIndex: number;
}

/**
 * Whether a transaction has the wallet's signatures for all of some inputs: over all of it, in the forms that wallets make. Whoever
 * asks believes what is in a block without this; of P2PKH and P2SH inputs nothing is believed before.
 */
export function hasSignatures(secp: Secp256k1, tx: Transaction, own: readonly OwnInput[]): boolean {
  const midstate = sighashMidstate(tx);
  return own.every((input) => {
    try {
      return isP2wpkhSigned(secp, tx, input, midstate) || isKeyPathSigned(tx, input, own);
    } catch {
      // What a server tells may have no form at all.
      return false;
    }
  });
}

function isP2wpkhSigned(
  secp: Secp256k1,
  tx: Transaction,
  { inputIndex, script, amountSat }: OwnInput,
  midstate: SighashMidstate,
): boolean {
  const { scriptSig, witness } = inputOf(tx, inputIndex);
  const [element, publicKey] = witness;
  if (element === undefined || publicKey === undefined || witness.length !== 2 || scriptSig.length > 0) return false;
  if (!equalBytes(p2wpkh(publicKey), script)) return false;
  const { signature, sighashByte } = parseWitnessSignature(element);
  // Of any other kind the rest of the transaction may be someone else's.
  if (sighashByte !== SIGHASH_BYTE.ALL) return false;
  return secp.verify(
    signature,
    segwitV0Sighash(tx, inputIndex, p2pkh(publicKey), amountSat, 'ALL', midstate),
    publicKey,
  );
}

/** A taproot signature covers what all inputs spend: where one of them is not the wallet's, nobody knows what. */
function isKeyPathSigned(tx: Transaction, { inputIndex, script }: OwnInput, own: readonly OwnInput[]): boolean {
  const { scriptSig, witness } = inputOf(tx, inputIndex);
  const [signature] = witness;
  if (signature?.length !== 64 || witness.length !== 1 || scriptSig.length > 0) return false;
  if (script.length !== 34 || own.length !== tx.inputs.length) return false;
  const prevouts = own.toSorted((one, other) => one.inputIndex - other.inputIndex);
  return schnorr.verify(signature, taprootSighash(tx, inputIndex, taprootMidstate(tx, prevouts)), script.subarray(2));
}

function inputOf({ inputs }: Transaction, inputIndex: number): Transaction['inputs'][number] {
  const input = inputs[inputIndex];
  if (input === undefined) throw new RangeError(`there is no input ${inputIndex}`);
  return input;
}
