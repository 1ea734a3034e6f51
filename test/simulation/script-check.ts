import { createRequire } from 'node:module';
import bcoin from 'bcoin';
import { equalBytes } from '../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1, type Secp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import { decodeDer } from '../../worker/engine/transactions/signature.ts';
import {
  encodeTransaction,
  type Transaction,
  type TransactionOutput,
} from '../../worker/engine/transactions/transaction.ts';
import { fakeSecp256k1 } from './fake-secp256k1.ts';

/** What bcoin's interpreter asks about signatures; its own module, for nothing else here has to do with it. */
const curve = createRequire(import.meta.resolve('bcoin'))('bcrypto/lib/secp256k1') as {
  verifyDER: (hash: Uint8Array, der: Uint8Array, key: Uint8Array) => boolean;
  isLowDER: (der: Uint8Array) => boolean;
};

/**
 * The first input whose scripts bcoin's interpreter does not accept, with the rules of consensus and the network's policy;
 * `undefined` where all are good. Among fake keys the fake says which signatures are right: the interpreter still makes the
 * hash that each has to sign, and decides about everything else.
 */
export function failingInput(
  secp: Secp256k1,
  transaction: Transaction,
  spent: readonly (TransactionOutput | undefined)[],
): number | undefined {
  const tx = bcoin.TX.fromRaw(Buffer.from(encodeTransaction(transaction)));
  const isValid = (output: TransactionOutput | undefined, index: number): boolean =>
    output !== undefined &&
    tx.verifyInput(index, {
      value: Number(output.amountSat),
      script: bcoin.Script.fromRaw(Buffer.from(output.script)),
    });
  const found = withSignaturesOf(secp, () => spent.findIndex((output, index) => !isValid(output, index)));
  return found < 0 ? undefined : found;
}

function withSignaturesOf<T>(secp: Secp256k1, work: () => T): T {
  if (secp !== fakeSecp256k1) return work();
  const { verifyDER, isLowDER } = curve;
  curve.verifyDER = isSignedByFake;
  // Half of a fake signature is a secret, and half of them are high.
  curve.isLowDER = () => true;
  try {
    return work();
  } finally {
    curve.verifyDER = verifyDER;
    curve.isLowDER = isLowDER;
  }
}

/** A fake signature tells its secret; those of wallets have public keys on the real curve. */
function isSignedByFake(hash: Uint8Array, der: Uint8Array, key: Uint8Array): boolean {
  const signature = decodeDer(der);
  const point = fakeSecp256k1.recover(signature, 0, hash);
  if (point === undefined) return false;
  return equalBytes(point, key) || equalBytes(nobleSecp256k1.publicKey(signature.subarray(32)), key);
}
