import { UndoableMap, type UndoLog } from '../engine/primitives/undo-log.ts';
import { readable } from '../engine/wire/stored-record.ts';
import type { RejectReason } from '../edges/chain/broadcaster.ts';
import {
  decodeTransaction,
  transactionId,
  type Outpoint,
  type Transaction,
} from '../engine/transactions/transaction.ts';
import { explorerTxid } from '../engine/transactions/txid.ts';
import { among } from '../engine/wallet/coin.ts';
import { decodeSend, encodeSend, sentKey, type OnchainSend } from './onchain-send.ts';

/** What payments need of the node around them. */
export interface PaymentRows {
  /** Takes back the running turn. */
  readonly undo: () => UndoLog | undefined;
  /** Puts a record into the running turn's write. */
  readonly record: (key: string, value: Uint8Array | undefined) => void;
  readonly log: (line: string) => void;
}

/**
 * For what a payment is taken back: its owner has to pay otherwise, or with a higher fee. What waits for others, or for a block, is
 * taken by itself later.
 */
const FINAL: readonly RejectReason[] = ['missingInputs', 'conflict', 'feeTooLow', 'dust', 'invalid'];

interface TransactionParts extends Pick<Transaction, 'inputs' | 'outputs'> {
  /** What made the coins that it spends, as explorers print it. */
  readonly parents: ReadonlySet<string>;
}

/**
 * Payments out of the on-chain wallet: each is broadcast with every block until it is in one, or is taken back.
 *
 * What no server would have is taken back when all that can be reached have refused it, twice, and none ever took it: then its coins
 * can be spent again. That it never confirms is not certain all the same, for it is signed, and a server that refused it may have
 * kept it. So what is paid after it spends one of its coins, see `unsettled`: only one of the two can be in the chain, and which
 * one, the rows tell.
 */
export class SentPayments {
  readonly #payments: UndoableMap<string, OnchainSend>;
  readonly #rows: PaymentRows;
  readonly #decoded = new Map<string, TransactionParts>();

  /** `stored` are the records below `sentKey('')`. */
  constructor(stored: Iterable<readonly [txid: string, bytes: Uint8Array]>, rows: PaymentRows) {
    this.#rows = rows;
    this.#payments = new UndoableMap(rows.undo);
    for (const [txid, bytes] of stored) {
      const send = readable(() => decodeSend(txid, bytes));
      if (send === undefined) rows.log(`the record of the on-chain payment ${txid} is damaged`);
      else this.#payments.set(txid, send);
    }
  }

  /** In no order. */
  list(): readonly OnchainSend[] {
    return [...this.#payments.values()];
  }

  /** `txid` is in internal byte order. */
  has(txid: Uint8Array): boolean {
    return this.#payments.has(explorerTxid(txid));
  }

  /** Those that are to be in a block and are not. */
  wanted(): readonly OnchainSend[] {
    return this.list().filter(isWanted);
  }

  /** Whether it is one of those that are to be in a block. `txid` is in internal byte order. */
  wants(txid: Uint8Array): boolean {
    return this.#isWanted(explorerTxid(txid));
  }

  /**
   * The coins of each payment that may come all the same, though it was taken back or another one has taken its place: its own, and
   * those of payments of ours whose change it spends.
   */
  contested(): readonly (readonly Outpoint[])[] {
    return this.list()
      .filter(({ fate }) => fate.kind === 'refused' || (fate.kind === 'replaced' && this.#isWanted(fate.by)))
      .map((send) => this.#coinsBelow(send));
  }

  /**
   * The coins of each payment that was taken back: the next one has to spend one of them, for the two must not both be in the chain.
   * What pays nobody but the wallet may come beside any: nobody is paid twice by it, and of coins that were found on other addresses
   * no payment can spend one.
   */
  unsettled(owns: (script: Uint8Array) => boolean): readonly (readonly Outpoint[])[] {
    const paysOthers = (send: OnchainSend): boolean => !this.#partsOf(send).outputs.every(({ script }) => owns(script));
    return this.list()
      .filter((send) => send.fate.kind === 'refused' && paysOthers(send))
      .map((send) => this.#coinsBelow(send));
  }

  /** Within a turn. */
  save(send: OnchainSend): void {
    this.#payments.set(send.txid, send);
    this.#rows.record(sentKey(send.txid), encodeSend(send));
  }

  /** By its txid as explorers print it. */
  get(txid: string): OnchainSend | undefined {
    return this.#payments.get(txid);
  }

  /** Saves a payment in place of another one, and of all that the other one took the place of; within a turn. */
  replace(txid: string, by: OnchainSend): void {
    const fate = { kind: 'replaced', by: by.txid } as const;
    for (const send of this.list()) if (send.txid === txid || isReplacedBy(send, txid)) this.save({ ...send, fate });
    this.save(by);
  }

  /** A transaction is in a block: of others that spend what it spends none will be. Within a turn. */
  confirmed(transaction: Transaction): void {
    const txid = explorerTxid(transactionId(transaction));
    const send = this.#payments.get(txid);
    if (send !== undefined && send.fate.kind !== 'confirmed') this.#confirm(send);
    const isSpent = among(transaction.inputs);
    for (const other of this.list())
      if (other.txid !== txid && mayCome(other) && this.#coinsBelow(other).some(isSpent))
        this.#displace(other, txid, isSpent);
  }

  /** What made the coins of a payment will be in no block while a transaction is in one; within a turn. */
  displaced(txid: string, by: Transaction): void {
    const send = this.#payments.get(txid);
    if (send !== undefined && isWanted(send)) this.#displace(send, explorerTxid(transactionId(by)), among(by.inputs));
  }

  /** What it had taken the place of may come in its stead, unless its own coins are spent as well. */
  #displace(send: OnchainSend, by: string, isSpent: (coin: Outpoint) => boolean): void {
    this.save({ ...send, fate: { kind: 'displaced', by } });
    for (const each of this.list())
      if (isReplacedBy(each, send.txid) && !this.#coinsBelow(each).some(isSpent))
        this.save({ ...each, fate: GIVEN_UP });
  }

  /** The block decides which of several stands, also where that is one that had been replaced. */
  #confirm(send: OnchainSend): void {
    const confirmed = { ...send, fate: { kind: 'confirmed' } } as const;
    if (send.fate.kind === 'replaced') this.replace(send.fate.by, confirmed);
    else this.save(confirmed);
  }

  /** A transaction is in a block no more, in internal byte order; within a turn. */
  unconfirmed(internalTxid: Uint8Array): void {
    const txid = explorerTxid(internalTxid);
    const send = this.#payments.get(txid);
    if (send?.fate.kind === 'confirmed') this.save({ ...send, fate: WAITING });
    // Its owner was told that it cannot arrive, and may have paid again: only who finds it in a mempool wants it again.
    const isBack = ({ fate }: OnchainSend): boolean => fate.kind === 'displaced' && fate.by === txid;
    const back = this.list().filter(isBack);
    for (const other of this.list())
      if (isBack(other) || back.some((each) => isReplacedBy(other, each.txid))) this.save({ ...other, fate: GIVEN_UP });
  }

  /** A server says that it has it, or shows it; within a turn. */
  accepted(txid: string): void {
    const send = this.#payments.get(txid);
    if (send !== undefined && send.fate.kind !== 'confirmed' && send.accepted !== true)
      this.save({ ...send, accepted: true });
  }

  /** It is in a mempool after all, and its coins are its own; within a turn. */
  returned(txid: string): void {
    const send = this.#payments.get(txid);
    if (send?.fate.kind === 'refused') this.save({ ...send, fate: WAITING, accepted: true });
  }

  /** Whether a payment may be taken back: no server ever had it, and it is not refused for what passes with the next blocks. */
  mayTakeBack(txid: string, reason: RejectReason): boolean {
    const send = this.#payments.get(txid);
    return send !== undefined && isWanted(send) && send.accepted !== true && FINAL.includes(reason);
  }

  /** Takes a payment back, and those that spend its change; within a turn. Gives those, it first. */
  takeBack(txid: string, reason: RejectReason): readonly OnchainSend[] {
    const send = this.#payments.get(txid);
    if (send === undefined || !isWanted(send)) return [];
    this.save({ ...send, fate: { kind: 'refused', reason } });
    this.#standAgain(txid);
    const children = this.list().filter((each) => this.#partsOf(each).parents.has(txid));
    return [send, ...children.flatMap((child) => this.takeBack(child.txid, 'missingInputs'))];
  }

  /** What was replaced by a payment stands again that was not sent: the newest, instead of those that it had replaced itself. */
  #standAgain(txid: string): void {
    const replaced = this.list().filter((send) => isReplacedBy(send, txid));
    // Each pays more than what it has replaced (BIP 125, rule 3).
    const [newest] = replaced.toSorted((one, other) => Number(other.feeSat - one.feeSat));
    if (newest === undefined) return;
    for (const send of replaced) this.save({ ...send, fate: { kind: 'replaced', by: newest.txid } });
    this.save({ ...newest, fate: WAITING });
  }

  /** Its own coins, and those of payments that are not confirmed and that it spends the change of. */
  #coinsBelow(send: OnchainSend): readonly Outpoint[] {
    const all = new Set([send]);
    for (const each of all)
      for (const txid of this.#partsOf(each).parents) {
        const parent = this.#payments.get(txid);
        if (parent !== undefined && parent.fate.kind !== 'confirmed') all.add(parent);
      }
    return [...all].flatMap((each) => this.#inputsOf(each));
  }

  #isWanted(txid: string): boolean {
    const send = this.#payments.get(txid);
    return send !== undefined && isWanted(send);
  }

  #inputsOf(send: OnchainSend): readonly Outpoint[] {
    return this.#partsOf(send).inputs;
  }

  #partsOf({ txid, rawTx }: OnchainSend): TransactionParts {
    const known = this.#decoded.get(txid);
    if (known !== undefined) return known;
    const { inputs, outputs } = readable(() => decodeTransaction(rawTx)) ?? { inputs: [], outputs: [] };
    const parts = { inputs, outputs, parents: new Set(inputs.map((coin) => explorerTxid(coin.txid))) };
    this.#decoded.set(txid, parts);
    return parts;
  }
}

const WAITING = { kind: 'waiting' } as const;

/** Nobody wants it any more, and it may come all the same. */
const GIVEN_UP = { kind: 'refused', reason: 'conflict' } as const;

const isWanted = ({ fate }: OnchainSend): boolean => fate.kind === 'waiting';

/** Whether a block can still take it: what was taken back is signed, and somebody may have kept it. */
const mayCome = ({ fate }: OnchainSend): boolean => fate.kind === 'waiting' || fate.kind === 'refused';

const isReplacedBy = ({ fate }: OnchainSend, txid: string): boolean => fate.kind === 'replaced' && fate.by === txid;
