import { toHex } from '../../engine/primitives/bytes.ts';
import { decodeTransaction, transactionId } from '../../engine/transactions/transaction.ts';
import { isChainSourceError } from './chain-source-error.ts';
import type { EsploraApi } from './esplora-api.ts';

/** Why a node refused a transaction. */
export type RejectReason =
  'missingInputs' | 'conflict' | 'feeTooLow' | 'notFinal' | 'dust' | 'tooManyUnconfirmed' | 'invalid';

export type BroadcastResult =
  | { readonly kind: 'accepted' }
  /** In the mempool or in a block already: as good as accepted. */
  | { readonly kind: 'alreadyKnown' }
  | { readonly kind: 'rejected'; readonly reason: RejectReason; readonly words: string }
  /** No source could be asked: it is tried again with the next block. */
  | { readonly kind: 'unreachable' };

/** Sends transactions, and sends them again with every block until they are confirmed or given up. */
export class Broadcaster {
  readonly #sources: readonly EsploraApi[];
  readonly #pending = new Map<string, readonly Uint8Array[]>();

  constructor(sources: readonly EsploraApi[]) {
    this.#sources = sources;
  }

  /**
   * Broadcasts transactions that depend on each other, parents first, and keeps them for `rebroadcast`. The result is
   * that of the last one.
   */
  broadcast(rawTxs: readonly Uint8Array[]): Promise<BroadcastResult> {
    const last = rawTxs.at(-1);
    if (last) this.#pending.set(nameOf(last), rawTxs);
    return this.#submitAll(rawTxs);
  }

  /** To be called with every new block. Txids (wire order, hex) of the last transaction of each group, with its result. */
  async rebroadcast(): Promise<ReadonlyMap<string, BroadcastResult>> {
    const results = new Map<string, BroadcastResult>();
    for (const [name, rawTxs] of this.#pending) results.set(name, await this.#submitAll(rawTxs));
    return results;
  }

  /** Ends the rebroadcasting of a transaction, by its txid in wire order: it is confirmed, or no longer wanted. */
  forget(txid: Uint8Array): void {
    this.#pending.delete(toHex(txid));
  }

  async #submitAll(rawTxs: readonly Uint8Array[]): Promise<BroadcastResult> {
    let result: BroadcastResult = { kind: 'accepted' };
    for (const rawTx of rawTxs) result = await this.#submit(rawTx);
    return result;
  }

  /**
   * Every source is told: one that says "accepted" and keeps it to itself must not keep a close from the chain. One acceptance
   * is enough; a refusal counts only if no other source accepts.
   */
  async #submit(rawTx: Uint8Array): Promise<BroadcastResult> {
    const answers = await Promise.all(this.#sources.map((source) => submitTo(source, rawTx)));
    const refused = answers.findLast(({ kind }) => kind === 'rejected');
    return answers.find(({ kind }) => isIn(kind)) ?? refused ?? { kind: 'unreachable' };
  }
}

const isIn = (kind: BroadcastResult['kind']): boolean => kind === 'accepted' || kind === 'alreadyKnown';

async function submitTo(source: EsploraApi, rawTx: Uint8Array): Promise<BroadcastResult> {
  try {
    const reply = await source.broadcast(rawTx);
    return reply.kind === 'accepted' ? reply : classify(reply.reason);
  } catch (error) {
    if (!isChainSourceError(error)) throw error;
    return { kind: 'unreachable' };
  }
}

const KNOWN = /already[- ]in[- ](mempool|block ?chain|utxo)|txn-already-known|already known|outputs already in utxo/i;

const REASONS: readonly (readonly [RegExp, RejectReason])[] = [
  [/missing-?inputs|missingorspent/i, 'missingInputs'],
  [/mempool-conflict|insufficient fee, rejecting replacement|replacement|double-?spend/i, 'conflict'],
  [/fee not met|min relay fee|mempool min fee|insufficient fee|insufficient priority/i, 'feeTooLow'],
  [/non-final|non-BIP68-final|premature-spend/i, 'notFinal'],
  [/\bdust\b/i, 'dust'],
  [/too-long-mempool-chain/i, 'tooManyUnconfirmed'],
];

/** The words are bitcoind's, which every server passes on. */
function classify(words: string): BroadcastResult {
  if (KNOWN.test(words)) return { kind: 'alreadyKnown' };
  const reason = REASONS.find(([pattern]) => pattern.test(words))?.[1] ?? 'invalid';
  return { kind: 'rejected', reason, words };
}

const nameOf = (rawTx: Uint8Array): string => toHex(transactionId(decodeTransaction(rawTx)));
