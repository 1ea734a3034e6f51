import { SigHash, Transaction as SignerTransaction } from '@scure/btc-signer';
import { signSchnorr, taprootTweakPrivKey } from '@scure/btc-signer/utils.js';
import { concat } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';
import { sha256d } from '../primitives/hash.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { u32le } from '../transactions/byte-cursor.ts';
import { p2pkh, p2wpkh, script } from '../transactions/script.ts';
import { SIGHASH_BYTE, segwitV0Sighash, sighashMidstate, type SighashMidstate } from '../transactions/sighash.ts';
import { witnessSignature } from '../transactions/signature.ts';
import {
  encodeTransaction,
  type Transaction,
  type TransactionInput,
  type TransactionOutput,
} from '../transactions/transaction.ts';
import { p2wpkhWitness, type Witness } from '../transactions/witnesses.ts';
import { isSameOutpoint, type Coin } from './coin.ts';
import { scriptKind, type Descriptors } from './descriptors.ts';

const EMPTY = new Uint8Array(0);
const NO_AUXILIARY = new Uint8Array(32);

/**
 * Adds the wallet's signatures to the inputs that spend `coins` and leaves all other inputs as they are. `prevouts` are
 * the outputs that all inputs spend, in order: a taproot signature covers them all, so without them (as undefined) there
 * must be no taproot coin.
 */
export function signCoins(
  secp: Secp256k1,
  descriptors: Descriptors,
  tx: Transaction,
  coins: readonly Coin[],
  prevouts: readonly TransactionOutput[],
): Transaction {
  const midstate = sighashMidstate(tx);
  const inputs = tx.inputs.map((input, inputIndex): TransactionInput => {
    const coin = coins.find((candidate) => isSameOutpoint(candidate, input));
    if (!coin) return input;
    const kind = scriptKind(coin);
    switch (kind) {
      case 'p2pkh':
        return { ...input, scriptSig: legacyScriptSig(secp, descriptors, tx, inputIndex, coin) };
      case 'p2sh-p2wpkh':
        return {
          ...input,
          scriptSig: script(p2wpkh(descriptors.publicKey(coin))),
          witness: segwitWitness(secp, descriptors, tx, inputIndex, coin, midstate),
        };
      case 'p2wpkh':
        return { ...input, witness: segwitWitness(secp, descriptors, tx, inputIndex, coin, midstate) };
      case 'p2tr':
        return { ...input, witness: taprootWitness(descriptors, tx, inputIndex, coin, prevouts) };
      default:
        return kind satisfies never;
    }
  });
  return { ...tx, inputs };
}

/** What the hash of a legacy signature covers: every input without its script, but for that of the output which is spent. */
function legacyScriptSig(
  secp: Secp256k1,
  descriptors: Descriptors,
  tx: Transaction,
  inputIndex: number,
  coin: Coin,
): Uint8Array {
  const publicKey = descriptors.publicKey(coin);
  const inputs = tx.inputs.map((input, index): TransactionInput => {
    return { ...input, scriptSig: index === inputIndex ? p2pkh(publicKey) : EMPTY, witness: [] };
  });
  const hash = sha256d(concat(encodeTransaction({ ...tx, inputs }), u32le(SIGHASH_BYTE.ALL)));
  return script(witnessSignature(secp.signLowR(hash, descriptors.secret(coin)), 'ALL'), publicKey);
}

function segwitWitness(
  secp: Secp256k1,
  descriptors: Descriptors,
  tx: Transaction,
  inputIndex: number,
  coin: Coin,
  midstate: SighashMidstate,
): Witness {
  const publicKey = descriptors.publicKey(coin);
  const hash = segwitV0Sighash(tx, inputIndex, p2pkh(publicKey), coin.amountSat, 'ALL', midstate);
  return p2wpkhWitness(secp.signLowR(hash, descriptors.secret(coin)), publicKey);
}

/** A key path spend (BIP 341), whose signature of the default sighash type has 64 bytes. */
function taprootWitness(
  descriptors: Descriptors,
  tx: Transaction,
  inputIndex: number,
  coin: Coin,
  prevouts: readonly TransactionOutput[],
): Witness {
  const hash = keyPathSighash(tx, inputIndex, prevouts);
  return [signSchnorr(hash, taprootTweakPrivKey(descriptors.secret(coin)), NO_AUXILIARY)];
}

/** What a key path spend signs (BIP 341), 32 bytes; `prevouts` are the outputs that all inputs spend, in order. */
export function keyPathSighash(
  tx: Transaction,
  inputIndex: number,
  prevouts: readonly TransactionOutput[],
): Uint8Array {
  assert(prevouts.length === tx.inputs.length, 'a taproot signature covers what every input spends');
  const options = { allowUnknownInputs: true, allowUnknownOutputs: true, disableScriptCheck: true };
  return SignerTransaction.fromRaw(encodeTransaction(tx), options).preimageWitnessV1(
    inputIndex,
    prevouts.map((output) => output.script),
    SigHash.DEFAULT,
    prevouts.map(({ amountSat }) => amountSat),
  );
}
