import { createHash } from 'node:crypto';
import type { BcoinOutput, BcoinTx } from 'bcoin';
import { type BlockRecord, type Confirmation, displayHash, type KnownTx, scriptHashOf } from './chain-index.ts';
import { addressOfScript } from './regtest-network.ts';
import type { ServedChain } from './served-chain.ts';

/** The chain's objects in the shape in which Esplora publishes them. */
export class EsploraJson {
  readonly #chain: ServedChain;

  constructor(chain: ServedChain) {
    this.#chain = chain;
  }

  status(at: Confirmation | undefined): object {
    if (at === undefined) return { confirmed: false };
    const { height, hash, time } = at.block;
    return { confirmed: true, block_height: height, block_hash: hash, block_time: time };
  }

  tx({ tx, at }: KnownTx): object {
    const feeSats = this.#feeSats(tx);
    return {
      txid: tx.txid(),
      version: tx.version,
      locktime: tx.locktime,
      vin: this.#inputs(tx),
      vout: tx.outputs.map(outputJson),
      size: tx.getSize(),
      weight: tx.getWeight(),
      fee: feeSats,
      status: this.status(at),
    };
  }

  block(block: BlockRecord): object {
    const header = Buffer.from(block.header);
    const bits = header.readUInt32LE(72);
    return {
      id: block.hash,
      height: block.height,
      version: header.readInt32LE(0),
      timestamp: block.time,
      tx_count: block.txids.length,
      size: block.raw.length,
      weight: block.weight,
      merkle_root: displayHash(header.toString('hex', 36, 68)),
      previousblockhash: block.height === 0 ? null : displayHash(header.toString('hex', 4, 36)),
      mediantime: this.#chain.medianTime(block),
      nonce: header.readUInt32LE(76),
      bits,
      difficulty: difficultyOf(bits),
    };
  }

  blockStatus(block: BlockRecord): object {
    if (this.#chain.index.blockAt(block.height) !== block) return { in_best_chain: false };
    const next = this.#chain.index.blockAt(block.height + 1);
    return { in_best_chain: true, height: block.height, ...(next && { next_best: next.hash }) };
  }

  merkleProof(at: Confirmation): object {
    return { block_height: at.block.height, merkle: merkleBranch(at), pos: at.position };
  }

  outspend(txid: string, vout: number): object {
    const spend = this.#chain.spend(txid, vout);
    if (spend === undefined) return { spent: false };
    return { spent: true, ...spend, status: this.status(this.#chain.find(spend.txid)?.at) };
  }

  /** The mempool's transactions that pay to or spend from a script. */
  mempoolOf(scriptHash: string): readonly KnownTx[] {
    return this.#chain
      .mempoolTxs()
      .filter(
        (tx) => tx.outputs.some((o) => pays(o, scriptHash)) || this.#prevouts(tx).some((o) => pays(o, scriptHash)),
      )
      .map((tx) => ({ tx }));
  }

  unspent(scriptHash: string): object[] {
    const known = [...this.#chain.index.transactionsOf(scriptHash), ...this.mempoolOf(scriptHash)];
    return known.flatMap(({ tx, at }) => {
      const txid = tx.txid();
      return tx.outputs.flatMap((output, vout) => {
        if (!pays(output, scriptHash) || this.#chain.spend(txid, vout) !== undefined) return [];
        return [{ txid, vout, status: this.status(at), value: output.value }];
      });
    });
  }

  stats(scriptHash: string, known: readonly KnownTx[]): object {
    const funded = known.flatMap(({ tx }) => tx.outputs.filter((output) => pays(output, scriptHash)));
    const spent = known.flatMap(({ tx }) => this.#prevouts(tx).filter((output) => pays(output, scriptHash)));
    return {
      funded_txo_count: funded.length,
      funded_txo_sum: sumOf(funded),
      spent_txo_count: spent.length,
      spent_txo_sum: sumOf(spent),
      tx_count: known.length,
    };
  }

  mempool(): object {
    const entries = this.#chain.mempoolEntries();
    const histogram = entries.map(({ tx, fee }) => [fee / tx.getVirtualSize(), tx.getVirtualSize()]);
    return {
      count: entries.length,
      vsize: entries.reduce((sum, { tx }) => sum + tx.getVirtualSize(), 0),
      total_fee: entries.reduce((sum, { fee }) => sum + fee, 0),
      fee_histogram: histogram.sort((a, b) => (b[0] ?? 0) - (a[0] ?? 0)),
    };
  }

  #inputs(tx: BcoinTx): object[] {
    return tx.inputs.map(({ prevout, script, witness, sequence }) => {
      const txid = displayHash(prevout.hash);
      const output = this.#chain.find(txid)?.tx.outputs[prevout.index];
      return {
        txid,
        vout: prevout.index,
        prevout: tx.isCoinbase() || output === undefined ? null : outputJson(output),
        scriptsig: script.toRaw().toString('hex'),
        scriptsig_asm: script.toASM(),
        ...(witness.items.length > 0 && { witness: witness.items.map((item) => item.toString('hex')) }),
        is_coinbase: tx.isCoinbase(),
        sequence,
      };
    });
  }

  #prevouts(tx: BcoinTx): readonly BcoinOutput[] {
    if (tx.isCoinbase()) return [];
    return tx.inputs.flatMap(({ prevout }) => {
      return this.#chain.find(displayHash(prevout.hash))?.tx.outputs[prevout.index] ?? [];
    });
  }

  #feeSats(tx: BcoinTx): number {
    return tx.isCoinbase() ? 0 : sumOf(this.#prevouts(tx)) - sumOf(tx.outputs);
  }
}

function outputJson({ script, value }: BcoinOutput): object {
  const raw = script.toRaw();
  const address = addressOfScript(raw);
  return {
    scriptpubkey: raw.toString('hex'),
    scriptpubkey_asm: script.toASM(),
    scriptpubkey_type: scriptType(raw),
    ...(address !== undefined && { scriptpubkey_address: address }),
    value,
  };
}

function scriptType(script: Buffer): string {
  const hex = script.toString('hex');
  if (/^0014.{40}$/.test(hex)) return 'v0_p2wpkh';
  if (/^0020.{64}$/.test(hex)) return 'v0_p2wsh';
  if (/^5120.{64}$/.test(hex)) return 'v1_p2tr';
  if (/^76a914.{40}88ac$/.test(hex)) return 'p2pkh';
  if (/^a914.{40}87$/.test(hex)) return 'p2sh';
  return hex.startsWith('6a') ? 'op_return' : 'unknown';
}

function merkleBranch({ block, position }: Confirmation): string[] {
  const branch: string[] = [];
  let level: Buffer[] = block.txs.map((tx) => tx.hash());
  let at = position;
  while (level.length > 1) {
    const last = level.at(-1);
    if (level.length % 2 === 1 && last !== undefined) level.push(last);
    const sibling = level[at ^ 1];
    if (sibling !== undefined) branch.push(displayHash(sibling.toString('hex')));
    level = level.flatMap((left, i) => {
      return i % 2 === 1 ? [] : [sha256(sha256(Buffer.concat([left, level[i + 1] ?? left])))];
    });
    at >>= 1;
  }
  return branch;
}

function difficultyOf(bits: number): number {
  const exponent = bits >>> 24;
  return (0xffff / (bits & 0xffffff)) * 256 ** (0x1d - exponent);
}

function pays(output: BcoinOutput, scriptHash: string): boolean {
  return scriptHashOf(output.script.toRaw()) === scriptHash;
}

function sumOf(outputs: readonly BcoinOutput[]): number {
  return outputs.reduce((sum, output) => sum + output.value, 0);
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
