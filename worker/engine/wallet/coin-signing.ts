import { signSchnorr, taprootTweakPrivKey } from '@scure/btc-signer/utils.js';
import { concat } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';
import { sha256d } from '../primitives/hash.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { u32le } from '../transactions/byte-cursor.ts';
import { p2pkh, p2wpkh, script } from '../transactions/script.ts';
import {
  SIGHASH_BYTE,
  segwitV0Sighash,
  sighashMidstate,
  taprootMidstate,
  taprootSighash,
  type SighashMidstate,
} from '../transactions/sighash.ts';
import { witnessSignature } from '../transactions/signature.ts';
import {
  encodeTransaction,
  type Transaction,
  type TransactionInput,
  type TransactionOutput,
} from '../transactions/transaction.ts';
import { p2wpkhWitness, type Witness } from '../transactions/witnesses.ts';
import { outpointName, type Coin } from './coin.ts';
import { scriptKind, type Descriptors } from './descriptors.ts';

const EMPTY = new Uint8Array(0);
const NO_AUXILIARY = new Uint8Array(32);

/**
 * Adds the wallet's signatures to the inputs that spend `coins` and leaves all other inputs as they are. `prevouts` are
 * the outputs that all inputs spend, in order: a taproot signature covers them all, so without them (as undefined) there
 * must be no taproot coin.
 */
export function signCoins(...parts: Parameters<typeof signingCoins>): Transaction {
  const signing = signingCoins(...parts);
  for (;;) {
    const { done, value } = signing.next();
    if (done === true) return value;
  }
}

/** As `signCoins`, and stops after each input, which takes about a millisecond: thousands are more than one turn has time for. */
export function* signingCoins(
  secp: Secp256k1,
  descriptors: Descriptors,
  tx: Transaction,
  coins: readonly Coin[],
  prevouts: readonly TransactionOutput[],
): Generator<undefined, Transaction> {
  const byOutpoint = new Map(coins.map((coin) => [outpointName(coin), coin]));
  const isTaproot = coins.some((coin) => scriptKind(coin) === 'p2tr');
  assert(!isTaproot || prevouts.length === tx.inputs.length, 'a taproot signature covers what every input spends');
  const midstate = sighashMidstate(tx);
  const taproot = isTaproot ? taprootMidstate(tx, prevouts) : EMPTY;
  const inputs: TransactionInput[] = [];
  for (const [inputIndex, input] of tx.inputs.entries()) {
    const coin = byOutpoint.get(outpointName(input));
    inputs.push(
      coin === undefined
        ? input
        : { ...input, ...signatureOf({ secp, descriptors, tx, midstate, taproot }, coin, inputIndex) },
    );
    yield;
  }
  return { ...tx, inputs };
}

/** What the signatures of a transaction have in common. */
interface Signing {
  readonly secp: Secp256k1;
  readonly descriptors: Descriptors;
  readonly tx: Transaction;
  readonly midstate: SighashMidstate;
  readonly taproot: Uint8Array;
}

function signatureOf(signing: Signing, coin: Coin, inputIndex: number): Partial<TransactionInput> {
  const { secp, descriptors, tx, midstate, taproot } = signing;
  const kind = scriptKind(coin);
  const segwit = (): Witness => segwitWitness(secp, descriptors, tx, inputIndex, coin, midstate);
  switch (kind) {
    case 'p2pkh':
      return { scriptSig: legacyScriptSig(secp, descriptors, tx, inputIndex, coin) };
    case 'p2sh-p2wpkh':
      return { scriptSig: script(p2wpkh(descriptors.publicKey(coin))), witness: segwit() };
    case 'p2wpkh':
      return { witness: segwit() };
    case 'p2tr':
      return { witness: taprootWitness(descriptors, coin, taprootSighash(tx, inputIndex, taproot)) };
    default:
      return kind satisfies never;
  }
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
const taprootWitness = (descriptors: Descriptors, coin: Coin, hash: Uint8Array): Witness => [
  signSchnorr(hash, taprootTweakPrivKey(descriptors.secret(coin)), NO_AUXILIARY),
];
