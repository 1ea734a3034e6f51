import assert from 'node:assert/strict';
import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { transactionId, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { scriptOfAddress } from '../../../worker/engine/wallet/address.ts';
import {
  BRANCHES,
  Descriptors,
  FOUND_BRANCHES,
  OWN_BRANCHES,
  type ScriptOrigin,
} from '../../../worker/engine/wallet/descriptors.ts';
import { decodeWallet, encodeWallet } from '../../../worker/engine/wallet/wallet-record.ts';
import type { WalletState } from '../../../worker/engine/wallet/wallet-state.ts';
import { GAP_LIMIT } from '../../../worker/engine/wallet/wallet-scripts.ts';
import { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';
import { pick, randomOf, type Random } from '../../simulation/random.ts';
import { paidFrom, sweptFrom } from './paid.ts';

const SEED = new Uint8Array(64).fill(0x77);
const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const ELSEWHERE_SCRIPT = toHex(scriptOfAddress(ELSEWHERE, 'regtest'));
const TERMS = { feeratePerKw: 500, reserveSat: 0n };
const publicKeys = new Map<string, Uint8Array>();

/** Keys are derived once for all: that is slower than all the rest. What each has made scripts of it knows for itself. */
class SharedDescriptors extends Descriptors {
  override publicKey(origin: ScriptOrigin): Uint8Array {
    const path = `${origin.branch}/${origin.index}`;
    const key = publicKeys.get(path) ?? super.publicKey(origin);
    publicKeys.set(path, key);
    return key;
  }
}

const descriptors = new SharedDescriptors(SEED, 'regtest');

interface Block {
  readonly height: number;
  readonly txs: readonly Transaction[];
}

const name = (tx: Transaction): string => toHex(transactionId(tx));

/** A wallet, the chain that it is told of, and the world that pays to it. */
export class WalletHistory {
  wallet: OnchainWallet = searching();
  readonly #random: Random;
  #blocks: Block[] = [];
  #mempool: Transaction[] = [];
  readonly #handedOut: Uint8Array[] = [];
  #payments = 0;
  /** All that ever was, by txid. */
  readonly #made = new Map<string, Transaction>();
  /** Txids of what was in a block. */
  readonly #confirmed = new Set<string>();

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  get #height(): number {
    return 100 + this.#blocks.length;
  }

  step(): void {
    const steps = [
      () => this.#handOut(),
      () => this.#runAhead(),
      () => this.#receive(),
      () => this.#receive(),
      () => this.#receiveFound(),
      () => this.#send(),
      () => this.#mine(),
      () => this.#mine(),
      () => this.#vanish(),
      () => this.#invent(),
      () => this.#reorganise(),
      () => this.#restart(),
      () => this.#sweep(),
    ];
    pick(this.#random, steps)?.();
  }

  #handOut(): void {
    const branch = pick(this.#random, OWN_BRANCHES) ?? 'receive';
    for (let count = this.#random(GAP_LIMIT); count >= 0; count--) this.#handedOut.push(this.wallet.newScript(branch));
  }

  /** The last address of a gap is paid, then the last of what is handed out after that, and the first payment vanishes. */
  #runAhead(): void {
    const branch = pick(this.#random, OWN_BRANCHES) ?? 'receive';
    const [first] = [0, 1].map(() => {
      for (let count = 0; count < GAP_LIMIT; count++) this.#handedOut.push(this.wallet.newScript(branch));
      const tx = this.#foreign(this.#handedOut.at(-1) ?? SEED, 5_000n);
      this.wallet.transactionSeen(tx);
      this.#mempool.push(tx);
      return tx;
    });
    this.#mempool = this.#mempool.filter((tx) => tx !== first);
    if (first !== undefined) this.wallet.transactionDropped(transactionId(first));
  }

  #receive(): void {
    const script = this.#random(2) === 0 ? this.#handedOut.at(-1) : pick(this.#random, this.#handedOut);
    if (script !== undefined) this.#pay(script);
  }

  /** Within the gap, as another wallet hands addresses out. */
  #receiveFound(): void {
    const branch = pick(this.#random, FOUND_BRANCHES) ?? 'legacy';
    const index = this.wallet.state.cursors[branch].used + this.#random(GAP_LIMIT);
    this.#pay(descriptors.script({ branch, index }));
  }

  #pay(script: Uint8Array): void {
    const tx = this.#foreign(script, BigInt(1_000 + this.#random(100_000)));
    this.#mempool.push(tx);
    if (this.#random(4) > 0) this.wallet.transactionSeen(tx);
  }

  #foreign(script: Uint8Array, amountSat: bigint): Transaction {
    const txid = new Uint8Array(32).fill(0xaa);
    new DataView(txid.buffer).setUint32(0, ++this.#payments);
    const inputs = [{ txid, vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] }];
    return { version: 2, inputs, outputs: [{ amountSat, script }], locktime: 0 };
  }

  #send(): void {
    const all = this.#random(4) === 0;
    const { spendableSat } = this.wallet.balance(0n, 0);
    if (spendableSat < 20_000n) return;
    this.#mempool.push(paidFrom(this.wallet, ELSEWHERE, all ? 'all' : spendableSat / 3n, TERMS).tx);
  }

  #sweep(): void {
    const built = sweptFrom(this.wallet, TERMS.feeratePerKw);
    if (built !== undefined) this.#mempool.push(built.tx);
  }

  /** Some of the mempool, what was there first before what may spend it. */
  #mine(): void {
    this.#mineFirst(this.#random(this.#mempool.length + 1));
  }

  #mineFirst(count: number): void {
    const txs = this.#mempool.splice(0, count);
    this.#blocks.push({ height: this.#height + 1, txs });
    for (const tx of txs) {
      this.#made.set(name(tx), tx);
      this.#confirmed.add(name(tx));
      this.wallet.transactionConfirmed(tx, this.#height);
    }
    this.wallet.bestBlockUpdated(this.#height);
  }

  /** One that was in no block, with all that spends it. */
  #vanish(): void {
    const tx = pick(
      this.#random,
      this.#mempool.filter((each) => !this.#confirmed.has(name(each))),
    );
    if (tx === undefined) return;
    const gone = new Set([name(tx)]);
    for (const each of this.#mempool) if (each.inputs.some(({ txid }) => gone.has(toHex(txid)))) gone.add(name(each));
    this.#mempool = this.#mempool.filter((each) => !gone.has(name(each)));
    this.wallet.transactionDropped(transactionId(tx));
  }

  /** What a lying server tells: spendings that nobody signed, and a payment that is gone again. */
  #invent(): void {
    const coin = pick(this.#random, this.wallet.state.coins);
    const before = this.wallet.state;
    const payment = this.#foreign(
      descriptors.script({ branch: 'change', index: this.#random(GAP_LIMIT) }),
      2_000_000_000_000n,
    );
    const spending = { ...payment, inputs: payment.inputs.map((input) => ({ ...input, ...coin })) };
    if (coin !== undefined) this.wallet.transactionSeen(spending);
    assert.equal(this.wallet.state, before);
    this.wallet.transactionSeen(payment);
    assert.ok(this.wallet.balance(0n, 0).spendableSat < 100_000_000n);
    this.wallet.transactionDropped(transactionId(payment));
    assert.deepEqual(this.wallet.state.cursors, before.cursors);
  }

  /** What was in the blocks waits for the next ones. */
  #reorganise(): void {
    const gone = this.#blocks.splice(Math.max(0, this.#blocks.length - 1 - this.#random(3)));
    const txs = gone.flatMap((block) => block.txs);
    for (const tx of txs) this.wallet.transactionUnconfirmed(transactionId(tx));
    this.#mempool.unshift(...txs);
    this.wallet.bestBlockUpdated(this.#height);
  }

  #restart(): void {
    this.wallet = searching(decodeWallet(encodeWallet(this.wallet.state)));
  }

  /** Everything left gets into a block: then what the wallet has is what a search from the words finds. */
  check(): void {
    this.#mineFirst(this.#mempool.length);
    const restored = this.#restored();
    assert.deepEqual(coinsOf(this.wallet), coinsOf(restored));
    const balance = this.wallet.balance(0n, 0);
    assert.deepEqual(balance, restored.balance(0n, 0));
    assert.equal(balance.spendableSat + balance.foundSat, this.#unspentSat());
    const used = ({ state }: OnchainWallet): unknown => BRANCHES.map((branch) => state.cursors[branch].used);
    assert.deepEqual(used(this.wallet), used(restored));
    assert.deepEqual(
      this.#handedOut.filter((script) => !restored.owns(script)),
      [],
    );
  }

  /** A wallet that knows the words only: it is told of all that has to do with a script as soon as it asks for that. */
  #restored(): OnchainWallet {
    const wallet = searching();
    const asked = new Set<string>();
    for (;;) {
      const fresh = new Set(
        wallet.scripts
          .watched()
          .map(toHex)
          .filter((script) => !asked.has(script)),
      );
      if (fresh.size === 0) break;
      for (const script of fresh) asked.add(script);
      for (const { height, txs } of this.#blocks)
        for (const tx of txs)
          if (this.#scriptsOf(tx).some((script) => fresh.has(script))) wallet.transactionConfirmed(tx, height);
    }
    wallet.bestBlockUpdated(this.#height);
    return wallet;
  }

  /** Of the outputs that a transaction makes and spends. */
  #scriptsOf({ inputs, outputs }: Transaction): readonly string[] {
    const spent = inputs.flatMap(({ txid, vout }) => this.#made.get(toHex(txid))?.outputs[vout] ?? []);
    return [...outputs, ...spent].map(({ script }) => toHex(script));
  }

  #unspentSat(): bigint {
    const txs = this.#blocks.flatMap((block) => block.txs);
    const spent = new Set(txs.flatMap(({ inputs }) => inputs.map(({ txid, vout }) => `${toHex(txid)}:${vout}`)));
    const outputs = txs.flatMap((tx) => tx.outputs.map((output, vout) => ({ ...output, at: `${name(tx)}:${vout}` })));
    return outputs
      .filter(({ at, script }) => toHex(script) !== ELSEWHERE_SCRIPT && !spent.has(at))
      .reduce((sum, { amountSat }) => sum + amountSat, 0n);
  }
}

/** A wallet that looks at all branches, with nothing but its words and a state. */
function searching(state?: WalletState): OnchainWallet {
  const wallet = new OnchainWallet(secp, new SharedDescriptors(SEED, 'regtest'), state);
  wallet.scripts.watched();
  return wallet;
}

/** What is to be the same however the wallet has learnt of it. */
const coinsOf = ({ state }: OnchainWallet): readonly string[] =>
  state.coins
    .map(({ txid, vout, branch, index, amountSat, height, spentBy }) =>
      [toHex(txid), vout, branch, index, amountSat, height, spentBy && toHex(spentBy.txid), spentBy?.height].join(' '),
    )
    .toSorted();
