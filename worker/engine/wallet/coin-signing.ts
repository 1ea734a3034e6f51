import { SigHash, Transaction as SignerTransaction } from '@scure/btc-signer';
import { signSchnorr, taprootTweakPrivKey } from '@scure/btc-signer/utils.js';
import { assert } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { p2pkh } from '../transactions/script.ts';
import { segwitV0Sighash, sighashMidstate, type SighashMidstate } from '../transactions/sighash.ts';
import { encodeTransaction, type Transaction, type TransactionOutput } from '../transactions/transaction.ts';
import { p2wpkhWitness, type Witness } from '../transactions/witnesses.ts';
import { isSameOutpoint, type Coin } from './coin.ts';
import type { Descriptors } from './descriptors.ts';

const NO_AUXILIARY = new Uint8Array(32);

/**
 * Adds the wallet's witnesses to the inputs that spend `coins` and leaves all other inputs as they are. `prevouts` are
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
  const inputs = tx.inputs.map((input, inputIndex) => {
    const coin = coins.find((candidate) => isSameOutpoint(candidate, input));
    if (!coin) return input;
    const witness =
      coin.branch === 'taproot'
        ? taprootWitness(descriptors, tx, inputIndex, coin, prevouts)
        : segwitWitness(secp, descriptors, tx, inputIndex, coin, midstate);
    return { ...input, witness };
  });
  return { ...tx, inputs };
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
  assert(prevouts.length === tx.inputs.length, 'a taproot signature covers what every input spends');
  const options = { allowUnknownInputs: true, allowUnknownOutputs: true, disableScriptCheck: true };
  const hash = SignerTransaction.fromRaw(encodeTransaction(tx), options).preimageWitnessV1(
    inputIndex,
    prevouts.map(({ script }) => script),
    SigHash.DEFAULT,
    prevouts.map(({ amountSat }) => amountSat),
  );
  return [signSchnorr(hash, taprootTweakPrivKey(descriptors.secret(coin)), NO_AUXILIARY)];
}
