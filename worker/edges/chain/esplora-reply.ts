import { MAX_SAT } from '../../engine/primitives/units.ts';
import type { PaidWeight } from '../../engine/wallet/coin.ts';
import { badReply } from './chain-source-error.ts';

/** A transaction's place in the chain, as the server claims it; hashes in the order that explorers show. */
export type TxStatus =
  | { readonly confirmed: false }
  | { readonly confirmed: true; readonly blockHeight: number; readonly blockHash: string };

export type Outspend =
  /** `isUnknown`: the server does not know the transaction at all. */
  | { readonly spent: false; readonly isUnknown?: true }
  | { readonly spent: true; readonly txid: string; readonly status: TxStatus };

export interface MerkleProof {
  readonly blockHeight: number;
  /** The siblings from the leaf upwards, in the order that explorers show. */
  readonly merkle: readonly string[];
  readonly position: number;
}

/** How many transactions touch a script. */
export interface ScriptStats {
  readonly confirmed: number;
  readonly unconfirmed: number;
}

export interface ScriptTx {
  readonly txid: string;
  readonly status: TxStatus;
}

/** What a node said to a transaction, in its own words where it refused it. */
export type BroadcastReply = { readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly reason: string };

/** As many words as are worth a look. */
export const refusal = (words: string): BroadcastReply => ({ kind: 'refused', reason: words.slice(0, 500) });

/** The fields of a block from which its header can be put together. */
export interface BlockFields {
  readonly hash: string;
  readonly height: number;
  readonly version: number;
  readonly previousHash: string;
  readonly merkleRoot: string;
  readonly time: number;
  readonly bits: number;
  readonly nonce: number;
}

/** More than any server has on a page. */
const MOST_LISTED = 1_000;
/** Core takes no more in one package. */
const MOST_PACKAGED = 25;

/** Reads the untyped replies of one source; throws `ChainSourceBadReply` where one is not as it should be. */
export class ReplyReader {
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  json(body: string): unknown {
    try {
      return JSON.parse(body) as unknown;
    } catch {
      throw badReply(this.#source, 'not JSON');
    }
  }

  height(value: unknown): number {
    return this.#integer(value, 499_999_999, 'a height');
  }

  /** 64 characters of hex. */
  hash(value: unknown): string {
    if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return value;
    throw badReply(this.#source, 'a hash was expected');
  }

  hex(value: string): string {
    // Pairs would be counted on the stack, which millions of them overflow.
    if (value.length % 2 === 0 && /^[0-9a-f]+$/.test(value)) return value;
    throw badReply(this.#source, 'hex was expected');
  }

  status(value: unknown): TxStatus {
    const fields = this.#fields(value);
    if (fields['confirmed'] === false) return { confirmed: false };
    if (fields['confirmed'] !== true) throw badReply(this.#source, 'a status was expected');
    return {
      confirmed: true,
      blockHeight: this.height(fields['block_height']),
      blockHash: this.hash(fields['block_hash']),
    };
  }

  /** What a transaction weighs and pays, which nothing proves. */
  paid(value: unknown): PaidWeight {
    const { weight, fee } = this.#fields(value);
    return {
      weight: this.#integer(weight, 4_000_000, 'a weight'),
      feeSat: BigInt(this.#integer(fee, Number(MAX_SAT), 'a fee')),
    };
  }

  outspend(value: unknown): Outspend {
    const fields = this.#fields(value);
    if (fields['spent'] === false) return { spent: false };
    if (fields['spent'] !== true) throw badReply(this.#source, 'a spending was expected');
    return { spent: true, txid: this.hash(fields['txid']), status: this.status(fields['status']) };
  }

  /** One of the outputs of a transaction. Of a spending there are servers that tell nothing but that there is one. */
  outspends(value: unknown, vout: number): Outspend | 'spent' {
    const one = this.#list(value, 100_000)[vout];
    const { spent, txid } = this.#fields(one);
    return spent === true && txid === undefined ? 'spent' : this.outspend(one);
  }

  /** The first of a list of whole transactions that spends an output; that it does is for the caller to see in its bytes. */
  spenderOf(value: unknown, txid: string, vout: number): ScriptTx | undefined {
    const spends = (input: unknown): boolean => {
      const fields = this.#fields(input);
      return fields['txid'] === txid && fields['vout'] === vout;
    };
    const entry = this.#list(value, MOST_LISTED).find((tx) =>
      this.#list(this.#fields(tx)['vin'], 100_000).some(spends),
    );
    return entry === undefined ? undefined : this.#scriptTx(entry);
  }

  merkleProof(value: unknown): MerkleProof {
    const fields = this.#fields(value);
    return {
      blockHeight: this.height(fields['block_height']),
      merkle: this.#list(fields['merkle'], 32).map((hash) => this.hash(hash)),
      position: this.#integer(fields['pos'], 1_000_000, 'a position'),
    };
  }

  scriptStats(value: unknown): ScriptStats {
    const fields = this.#fields(value);
    const count = (stats: unknown): number => this.#integer(this.#fields(stats)['tx_count'], 1e9, 'a count');
    return { confirmed: count(fields['chain_stats']), unconfirmed: count(fields['mempool_stats']) };
  }

  scriptTxs(value: unknown): ScriptTx[] {
    return this.#list(value, MOST_LISTED).map((entry) => this.#scriptTx(entry));
  }

  txids(value: unknown): string[] {
    return this.#list(value, 100_000).map((txid) => this.hash(txid));
  }

  blocks(value: unknown): BlockFields[] {
    return this.#list(value, 100).map((entry) => {
      const fields = this.#fields(entry);
      const previous = fields['previousblockhash'];
      return {
        hash: this.hash(fields['id']),
        height: this.height(fields['height']),
        version: this.#integer(fields['version'], 0xffff_ffff, 'a version', -0x8000_0000),
        previousHash: previous === null || previous === undefined ? '0'.repeat(64) : this.hash(previous),
        merkleRoot: this.hash(fields['merkle_root']),
        time: this.#integer(fields['timestamp'], 0xffff_ffff, 'a time'),
        bits: this.#integer(fields['bits'], 0xffff_ffff, 'bits'),
        nonce: this.#integer(fields['nonce'], 0xffff_ffff, 'a nonce'),
      };
    });
  }

  /** Feerates in sat/vB by the number of blocks; an implausible one is left out. */
  feeEstimates(value: unknown): ReadonlyMap<number, number> {
    const estimates = new Map<number, number>();
    for (const [target, feerate] of Object.entries(this.#fields(value)))
      if (/^\d{1,4}$/.test(target) && typeof feerate === 'number' && feerate > 0 && feerate < 100_000)
        estimates.set(Number(target), feerate);
    if (estimates.size === 0) throw badReply(this.#source, 'no fee estimate');
    return estimates;
  }

  /** As `feeEstimates`, out of mempool's names for what is soon enough. */
  recommendedFees(value: unknown): ReadonlyMap<number, number> {
    const { fastestFee, halfHourFee, hourFee, economyFee } = this.#fields(value);
    return this.feeEstimates({ 1: fastestFee, 3: halfHourFee, 6: hourFee, 144: economyFee });
  }

  /** By txid, the replies in a result of Core's `submitpackage`, where electrs writes `null` for what Core leaves out. */
  packageReplies(value: unknown): ReadonlyMap<string, BroadcastReply> {
    const { package_msg: message, 'tx-results': results } = this.#fields(value);
    const entries = this.#list(Object.values(this.#fields(results)), MOST_PACKAGED).map((entry) => this.#fields(entry));
    return new Map(
      entries.map(({ txid, error }) => {
        if (error === undefined || error === null) return [this.hash(txid), { kind: 'accepted' }];
        return [this.hash(txid), refusal(this.#words(error === 'package-not-validated' ? message : error))];
      }),
    );
  }

  #scriptTx(value: unknown): ScriptTx {
    const fields = this.#fields(value);
    return { txid: this.hash(fields['txid']), status: this.status(fields['status']) };
  }

  #words(value: unknown): string {
    if (typeof value === 'string') return value;
    throw badReply(this.#source, 'words were expected');
  }

  #fields(value: unknown): Readonly<Record<string, unknown>> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    throw badReply(this.#source, 'an object was expected');
  }

  #list(value: unknown, most: number): readonly unknown[] {
    if (Array.isArray(value) && value.length <= most) return value;
    throw badReply(this.#source, 'a list was expected');
  }

  #integer(value: unknown, most: number, what: string, least = 0): number {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw badReply(this.#source, `${what} was expected`);
  }
}
