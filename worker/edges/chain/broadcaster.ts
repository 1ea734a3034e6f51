import { toHex } from '../../engine/primitives/bytes.ts';
import { sha256 } from '../../engine/primitives/hash.ts';
import type { TransactionPackage } from '../../engine/transactions/transaction-package.ts';
import { BroadcastQueue } from './broadcast-queue.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { BroadcastReply } from './esplora-reply.ts';

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

/** What became of a transaction: the best answer of all, and each server's own by its address. */
export interface BroadcastOutcome {
  readonly result: BroadcastResult;
  readonly byServer: ReadonlyMap<string, BroadcastResult>;
}

/**
 * How long a source is believed that it takes no packages, so that all that goes out with a block asks once. One of several
 * servers behind an address may lack them for a while only, and a gateway that has lost its server finds nothing.
 */
const WITHOUT_PACKAGES_MS = 60_000;

interface Outlet {
  readonly source: EsploraApi;
  /** None waits for another source: one that hangs must not keep claims from the others. */
  readonly queue: BroadcastQueue<readonly BroadcastResult[]>;
}

/**
 * Sends transactions to every source, to each one after the other: see `BroadcastQueue`. That they are sent again with each
 * block is up to whoever wants them in one.
 */
export class Broadcaster {
  readonly #outlets: readonly Outlet[];
  readonly #now: () => number;
  /** When a source has said that it takes no packages. */
  readonly #withoutPackages = new Map<EsploraApi, number>();
  #stopped = false;

  /** `now` is in milliseconds. */
  constructor(sources: readonly EsploraApi[], now: () => number) {
    this.#outlets = sources.map((source) => ({ source, queue: new BroadcastQueue() }));
    this.#now = now;
  }

  /**
   * What became of each transaction, in order. Every source is told: one that says "accepted" and keeps it to itself must not keep
   * a close from the chain. One acceptance is enough; a refusal counts only if no other source accepts.
   */
  async broadcast(transactions: TransactionPackage): Promise<readonly BroadcastOutcome[]> {
    const name = transactions.map((raw) => toHex(sha256(raw))).join();
    const answers = await Promise.all(
      this.#outlets.map(async ({ source, queue }) => ({
        server: source.baseUrl,
        results: await queue.add(name, () => this.#submitTo(source, transactions)),
      })),
    );
    return transactions.map((_, index) => {
      const results = answers.flatMap((each) => {
        const result = each.results[index];
        return result === undefined ? [] : [[each.server, result] as const];
      });
      return { result: bestOf(results.map(([, result]) => result)), byServer: new Map(results) };
    });
  }

  /** What has not left yet does not leave any more. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * A parent below the minimum of the node's mempool is taken in only together with its child. What is not in after that is
   * sent one after the other, too: there are nodes that refuse a package for what each would be taken in with.
   */
  async #submitTo(source: EsploraApi, transactions: TransactionPackage): Promise<readonly BroadcastResult[]> {
    if (this.#stopped) return [];
    const together = await this.#submitTogether(source, transactions);
    if (together.length > 0 && together.every(isIn)) return together;
    const alone: BroadcastResult[] = [];
    for (const transaction of transactions) alone.push(await answerOf(() => source.broadcast(transaction)));
    return alone.map((result, index) => bestOf([result, ...together.slice(index, index + 1)]));
  }

  /** Nothing where there is no package, or the source takes none. */
  async #submitTogether(source: EsploraApi, transactions: TransactionPackage): Promise<readonly BroadcastResult[]> {
    const since = this.#withoutPackages.get(source) ?? -Infinity;
    if (transactions.length === 1 || this.#now() - since < WITHOUT_PACKAGES_MS) return [];
    try {
      const replies = await source.broadcastPackage(transactions);
      if (replies === undefined) this.#withoutPackages.set(source, this.#now());
      return replies?.map(resultOf) ?? [];
    } catch {
      return [];
    }
  }
}

/** Whether a server says that it has a transaction now. */
export const isIn = ({ kind }: BroadcastResult): boolean => kind === 'accepted' || kind === 'alreadyKnown';

function bestOf(results: readonly BroadcastResult[]): BroadcastResult {
  const refused = results.findLast(({ kind }) => kind === 'rejected');
  return results.find(isIn) ?? refused ?? { kind: 'unreachable' };
}

async function answerOf(ask: () => Promise<BroadcastReply>): Promise<BroadcastResult> {
  try {
    return resultOf(await ask());
  } catch {
    // Whatever goes wrong with one server's answer, also in our own code, takes nothing from what the others say.
    return { kind: 'unreachable' };
  }
}

const resultOf = (reply: BroadcastReply): BroadcastResult =>
  reply.kind === 'accepted' ? reply : classify(reply.reason);

/** With another witness, it is the same transaction for all that spends it. */
const KNOWN =
  /already[- ]in[- ](mempool|block ?chain|utxo)|txn-already-known|already known|outputs already in utxo|same-nonwitness-data|code\\?":-27\b/i;

/** The server could not ask its node, or that could not answer: no transaction is refused by that. */
const UNASKED =
  /^connection error|failed to send raw transaction|(code\\?":|RPC error (?=-))(?!-([1-8]|22|25|26|27)\b)/i;

const REASONS: readonly (readonly [RegExp, RejectReason])[] = [
  [/missing-?inputs|missingorspent|code\\?":-25\}/i, 'missingInputs'],
  [/mempool-conflict|insufficient fee, rejecting replacement|replacement|double-?spend/i, 'conflict'],
  [/fee not met|min relay fee|mempool min fee|insufficient fee|insufficient priority/i, 'feeTooLow'],
  [/non-final|non-BIP68-final|premature-spend/i, 'notFinal'],
  [/\bdust\b/i, 'dust'],
  [/too-long-mempool-chain/i, 'tooManyUnconfirmed'],
];

/** The words are bitcoind's, which every server passes on; mempool's own backend passes on nothing but its code, in JSON in JSON. */
function classify(words: string): BroadcastResult {
  if (KNOWN.test(words)) return { kind: 'alreadyKnown' };
  if (UNASKED.test(words)) return { kind: 'unreachable' };
  const reason = REASONS.find(([pattern]) => pattern.test(words))?.[1] ?? 'invalid';
  return { kind: 'rejected', reason, words };
}
