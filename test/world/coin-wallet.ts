import { p2wpkh, Transaction } from '@scure/btc-signer';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import type { RegtestChain } from './chain.ts';
import { scriptHashOf } from './chain-index.ts';
import { REGTEST } from './regtest-network.ts';

export interface Coin {
  readonly txid: string;
  readonly vout: number;
  readonly sats: number;
}

export interface Payment {
  readonly script: Uint8Array;
  readonly sats: number;
}

const COINBASE_MATURITY = 100;
const DUST_SATS = 1_000;

/** A wallet of one P2WPKH key over the chain's index: the faucet's coins, and those of the LDK nodes. */
export class CoinWallet {
  readonly address: string;
  readonly script: Uint8Array;
  readonly #chain: RegtestChain;
  readonly #privateKey: Uint8Array;
  readonly #reserved = new Set<string>();

  constructor(chain: RegtestChain, privateKey: Uint8Array) {
    const payment = p2wpkh(secp256k1.getPublicKey(privateKey, true), REGTEST);
    if (payment.address === undefined) throw new Error('the key has no address');
    this.address = payment.address;
    this.script = payment.script;
    this.#chain = chain;
    this.#privateKey = privateKey;
  }

  /** Confirmed, mature, unspent (the mempool counts) and not part of a transaction built here. */
  coins(): readonly Coin[] {
    const coins: Coin[] = [];
    for (const { tx, at } of this.#chain.index.transactionsOf(scriptHashOf(this.script))) {
      if (tx.isCoinbase() && this.#chain.height - at.block.height < COINBASE_MATURITY) continue;
      const txid = tx.txid();
      tx.outputs.forEach((output, vout) => {
        if (!output.script.toRaw().equals(this.script) || this.#reserved.has(`${txid}:${vout}`)) return;
        if (this.#chain.spend(txid, vout) === undefined) coins.push({ txid, vout, sats: output.value });
      });
    }
    return coins;
  }

  balanceSats(): number {
    return this.coins().reduce((sum, coin) => sum + coin.sats, 0);
  }

  /** A signed transaction that pays `payments`, with the largest coins first and the change back here. */
  build(payments: readonly Payment[], feerateSatPerVb = 4): Uint8Array {
    const needed = payments.reduce((sum, payment) => sum + payment.sats, 0);
    const tx = new Transaction({ allowUnknownOutputs: true });
    for (const { script, sats } of payments) tx.addOutput({ script, amount: BigInt(sats) });
    let gathered = 0;
    for (const coin of [...this.coins()].sort((a, b) => b.sats - a.sats)) {
      const witnessUtxo = { script: this.script, amount: BigInt(coin.sats) };
      tx.addInput({ txid: coin.txid, index: coin.vout, witnessUtxo });
      this.#reserved.add(`${coin.txid}:${coin.vout}`);
      gathered += coin.sats;
      const feeSats = Math.ceil((60 + 70 * tx.inputsLength + 45 * (payments.length + 1)) * feerateSatPerVb);
      if (gathered < needed + feeSats + DUST_SATS) continue;
      tx.addOutput({ script: this.script, amount: BigInt(gathered - needed - feeSats) });
      tx.sign(this.#privateKey);
      tx.finalize();
      return tx.extract();
    }
    throw new Error(`the wallet has ${gathered} sat and needs ${needed} and fees`);
  }

  /** Signs the inputs of ours in a PSBT and gives the transaction back, others' inputs left without a witness. */
  signPsbt(psbt: Uint8Array): Uint8Array {
    const tx = Transaction.fromPSBT(psbt, {
      allowUnknownInputs: true,
      allowUnknownOutputs: true,
      disableScriptCheck: true,
    });
    for (let i = 0; i < tx.inputsLength; i++) {
      const script = tx.getInput(i).witnessUtxo?.script;
      if (script === undefined || !Buffer.from(script).equals(this.script)) continue;
      tx.signIdx(this.#privateKey, i);
      tx.finalizeIdx(i);
    }
    return tx.toBytes(true, true);
  }
}
