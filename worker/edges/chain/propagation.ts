import { reversed, toHex } from '../../engine/primitives/bytes.ts';
import { decodeTransaction, transactionId } from '../../engine/transactions/transaction.ts';
import type { TransactionPackage } from '../../engine/transactions/transaction-package.ts';
import { Backoff } from './backoff.ts';
import { isIn, type Broadcaster, type BroadcastOutcome, type BroadcastResult } from './broadcaster.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { ChainPlatform } from './platform.ts';
import { hasPassed } from '../transport/timers.ts';

type Refusal = Extract<BroadcastResult, { readonly kind: 'rejected' }>;

/** How far a transaction of ours has got, by the word of the servers. */
export type Standing =
  /** No server has said that it has it. */
  | { readonly kind: 'waiting' }
  /** A server has, and others are asked. */
  | { readonly kind: 'taken' }
  /** A server took it, and for minutes no other has shown it: that server may have kept it to itself. */
  | { readonly kind: 'unseen' }
  /** A server shows it that is not the only one to say that it has it; of one server alone, its word. */
  | { readonly kind: 'seen' }
  /**
   * Every server that answers refuses it, and none ever had it in this run. `lasting`: they still did so when they were asked
   * again a good while later.
   */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly lasting: boolean };

export interface PropagationParts {
  readonly sources: readonly EsploraApi[];
  readonly broadcaster: Broadcaster;
  readonly platform: Pick<ChainPlatform, 'now'>;
  /** What is known of a transaction, by the id that explorers show, has changed, or it is refused for good once more. */
  readonly onChange: (txid: string, standing: Standing) => void;
}

/** Node after node a transaction needs seconds; a server needs some to look into its own node's mempool. */
const FIRST_LOOK_MS = 10_000;
const MOST_WAIT_MS = 10 * 60_000;
/** With the waiting times that double, this is about three quarters of an hour; the next block begins anew. */
const MOST_LOOKS = 10;
/** So many servers are asked at each look whether they have it. */
const MOST_ASKED = 2;
/** What no other server shows for so long is told. */
const UNSEEN_MS = 3 * 60_000;
/** A node may be a block behind for a moment; and where a server does not answer, it may have taken it. */
const LASTING_MS = 60_000;
const LASTING_IN_PART_MS = 10 * 60_000;
/** What nobody wants in a block any more is sent again no more: nobody is told of it either. */
const WANTED_MS = 60 * 60_000;
/** How many transactions are remembered: of what is forgotten, it is asked for again. */
const MOST_TRACKED = 1_000;

/** What servers have said of a transaction. */
interface Track {
  readonly since: number;
  /** When it was wanted last. */
  wantedAt: number;
  /** They took it, or had it already. */
  readonly accepted: Set<string>;
  /** They gave it back when they were asked for it. */
  readonly shown: Set<string>;
  readonly refused: Map<string, Refusal>;
  /** When all that answered began to refuse it. */
  refusedSince: number | undefined;
  told: Standing;
}

/** A package that is looked after waits. */
interface Wait {
  readonly since: number;
  readonly ms: number;
  readonly end: () => void;
}

/**
 * Follows what is broadcast: that a server has taken it proves nothing, so others are asked whether they have it, and it is sent
 * again with growing pauses until one does. Who wants it in a block sends it again with every block all the same.
 */
export class Propagation {
  readonly #parts: PropagationParts;
  readonly #tracks = new Map<string, Track>();
  /** The txids of packages that are looked after. */
  readonly #followed = new Set<string>();
  readonly #waits = new Set<Wait>();
  #stopped = false;

  constructor(parts: PropagationParts) {
    this.#parts = parts;
  }

  /** `undefined` of what was not broadcast in this run. */
  standing(txid: string): Standing | undefined {
    return this.#tracks.get(txid)?.told;
  }

  /** How many of the transactions that are still wanted are `unseen`. */
  get unseen(): number {
    const leastAt = this.#parts.platform.now() - WANTED_MS;
    return [...this.#tracks.values()].filter(({ told, wantedAt }) => told.kind === 'unseen' && wantedAt >= leastAt)
      .length;
  }

  /** What is in a block. */
  forget(txid: string): void {
    this.#tracks.delete(txid);
  }

  stop(): void {
    this.#stopped = true;
    this.#waits.clear();
  }

  /** Sends to every server, and looks after it from then on. The outcome of each transaction, in order. */
  async broadcast(transactions: TransactionPackage): Promise<readonly BroadcastOutcome[]> {
    const txids = transactions.map(txidOf);
    for (const txid of txids) this.#track(txid);
    const outcomes = await this.#send(transactions, txids);
    const name = txids.join();
    if (!this.#followed.has(name) && !this.#isSettled(txids)) {
      this.#followed.add(name);
      void this.#follow(transactions, txids).finally(() => this.#followed.delete(name));
    }
    return outcomes;
  }

  /**
   * Looks after the packages whose wait is over, each by itself: a server that hangs with one keeps none of the others. To be called
   * about once a second.
   */
  rebroadcast(): void {
    const now = this.#parts.platform.now();
    for (const wait of this.#waits) {
      if (!hasPassed(wait.ms, wait.since, now)) continue;
      this.#waits.delete(wait);
      wait.end();
    }
  }

  async #follow(transactions: TransactionPackage, txids: readonly string[]): Promise<void> {
    const backoff = new Backoff(FIRST_LOOK_MS, MOST_WAIT_MS);
    for (let looks = 0; looks < MOST_LOOKS && !this.#isSettled(txids); looks++) {
      await this.#wait(backoff.failed());
      for (const txid of txids) await this.#look(txid);
      if (!this.#isSettled(txids)) await this.#send(transactions, txids);
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((end) => this.#waits.add({ since: this.#parts.platform.now(), ms, end }));
  }

  async #send(transactions: TransactionPackage, txids: readonly string[]): Promise<readonly BroadcastOutcome[]> {
    const outcomes = await this.#parts.broadcaster.broadcast(transactions);
    outcomes.forEach(({ byServer }, index) => this.#note(txids[index] ?? '', byServer));
    return outcomes;
  }

  /** Asks servers for a transaction: first those that have not said that they have it, which can only have it from others. */
  async #look(txid: string): Promise<void> {
    const track = this.#tracks.get(txid);
    if (track === undefined || this.#isSettled([txid]) || track.accepted.size === 0) return;
    const asked = this.#parts.sources
      .filter(({ baseUrl }) => !track.shown.has(baseUrl))
      .toSorted((a, b) => Number(track.accepted.has(a.baseUrl)) - Number(track.accepted.has(b.baseUrl)));
    for (const source of asked.slice(0, MOST_ASKED)) {
      if (this.#isSettled([txid])) return;
      if (await hasIt(source, txid)) track.shown.add(source.baseUrl);
      this.#tell(txid, track);
    }
  }

  #note(txid: string, byServer: ReadonlyMap<string, BroadcastResult>): void {
    const track = this.#tracks.get(txid);
    if (track === undefined) return;
    for (const [server, result] of byServer) {
      if (isIn(result)) track.accepted.add(server);
      if (result.kind === 'rejected') track.refused.set(server, result);
      else track.refused.delete(server);
    }
    const isRefused = track.refused.size > 0 && track.accepted.size === 0 && track.shown.size === 0;
    track.refusedSince = isRefused ? (track.refusedSince ?? this.#parts.platform.now()) : undefined;
    this.#tell(txid, track);
  }

  #tell(txid: string, track: Track): void {
    const before = track.told;
    track.told = this.#standingOf(track);
    const isSame = JSON.stringify(before) === JSON.stringify(track.told);
    if (isSame && !isLasting(track.told)) return;
    if (!this.#stopped) this.#parts.onChange(txid, track.told);
  }

  #standingOf({ accepted, shown, refused, refusedSince, since }: Track): Standing {
    const now = this.#parts.platform.now();
    const { size: servers } = new Set(this.#parts.sources.map(({ baseUrl }) => baseUrl));
    const said = new Set([...accepted, ...shown]);
    if (shown.size > 0 && said.size > 1) return { kind: 'seen' };
    if (said.size > 0 && servers === 1) return { kind: 'seen' };
    if (said.size > 0) return { kind: now - since >= UNSEEN_MS ? 'unseen' : 'taken' };
    const refusal = [...refused.values()].at(-1);
    if (refusal === undefined || refusedSince === undefined) return { kind: 'waiting' };
    const waitMs = refused.size === servers ? LASTING_MS : LASTING_IN_PART_MS;
    return { kind: 'refused', refusal, lasting: now - refusedSince >= waitMs };
  }

  /** Nothing more is to be learnt of them by asking. */
  #isSettled(txids: readonly string[]): boolean {
    return this.#stopped || txids.every((txid) => isDecided(this.standing(txid)));
  }

  #track(txid: string): void {
    const [oldest] = this.#tracks.keys();
    const now = this.#parts.platform.now();
    const known = this.#tracks.get(txid);
    if (known !== undefined) return void (known.wantedAt = now);
    if (this.#tracks.size >= MOST_TRACKED && oldest !== undefined) this.#tracks.delete(oldest);
    const none = { accepted: new Set<string>(), shown: new Set<string>(), refused: new Map<string, Refusal>() };
    this.#tracks.set(txid, { since: now, wantedAt: now, ...none, refusedSince: undefined, told: { kind: 'waiting' } });
  }
}

const isLasting = (standing: Standing): boolean => standing.kind === 'refused' && standing.lasting;

const isDecided = (standing: Standing | undefined): boolean =>
  standing === undefined || standing.kind === 'seen' || isLasting(standing);

/** The bytes are the shortest proof that a server has it: what it says of the status of others' it says of what it never saw. */
async function hasIt(source: EsploraApi, txid: string): Promise<boolean> {
  try {
    return (await source.transaction(txid)) !== undefined;
  } catch {
    // Whatever goes wrong with what one server says, also in our own code: it ends nothing but the question.
    return false;
  }
}

const txidOf = (raw: Uint8Array): string => toHex(reversed(transactionId(decodeTransaction(raw))));
