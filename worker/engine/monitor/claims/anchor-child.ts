import { equalBytes } from '../../primitives/bytes.ts';
import { GlowwormError } from '../../primitives/errors.ts';
import type { Secp256k1 } from '../../primitives/secp256k1.ts';
import type { ChannelSigner } from '../../keys/channel-signer.ts';
import type { ChannelMonitor } from '../channel-monitor.ts';
import { holderCommitment } from '../holder-commitment.ts';
import { anchorScript } from '../../transactions/channel-scripts.ts';
import { ANCHOR_SAT } from '../../transactions/commitment-fees.ts';
import { p2wsh } from '../../transactions/script.ts';
import { sumOf, type BumpRequest, type Replaced } from '../../wallet/wallet-transaction.ts';
import {
  decodeTransaction,
  transactionId,
  transactionWeight,
  withWitness,
  type Transaction,
} from '../../transactions/transaction.ts';
import { fallingFeerates, isBumpDue, RELAYED_PER_KW, REPLACEMENT_PER_KW, wantedFeerate } from './claim-fees.ts';
import { claimKeys } from './claim-keys.ts';
import { ANTI_REORG_DELAY, type ClaimConditions } from './claim-package.ts';
import type { CoinSelectionSource } from './claim-transaction.ts';
import { commitmentStake } from './commitment-stake.ts';
import { spendOf } from './confirmed-spends.ts';

/** A transaction that pays for our broadcast commitment, through its anchor (the first input) and coins of the wallet. */
export interface AnchorChild {
  readonly tx: Transaction;
  /** What it was to bring the commitment and itself to. */
  readonly feeratePerKw: number;
  /** The height at which `tx` was made. */
  readonly height: number;
  /** The height at which the first was made; 0 where that is not known. */
  readonly since: number;
}

/** What a child is made of. */
export interface AnchorChildParts {
  readonly secp: Secp256k1;
  readonly signer: ChannelSigner;
  readonly coins: CoinSelectionSource;
}

/** Of a signature, the anchor's script and their lengths. */
const ANCHOR_WITNESS_WEIGHT = 116;
/** Of a child with one coin and its change. */
const CHILD_WEIGHT = 800;
/**
 * A child that is not in the block of its commitment is in the next ones, or was never in the miners' mempools. So long its
 * coins wait for it: spending them elsewhere would conflict with a child that is still under way.
 */
const CHILD_PATIENCE_BLOCKS = 6;

/**
 * The child to broadcast with our commitment; the wallet keeps its coins for it. It is that of before until another is due
 * (`isBumpDue`), as where the HTLCs that depend on it have become urgent, or its coins went elsewhere. `undefined` where the
 * commitment pays enough itself, has no anchor, or the wallet has no coins, and where any child would cost more than it may:
 * then it goes out as it is.
 */
export function anchorChild(
  parts: AnchorChildParts,
  monitor: ChannelMonitor,
  conditions: ClaimConditions,
): AnchorChild | undefined {
  const { coins } = parts;
  const { height, feeratePerKw: estimatePerKw } = conditions;
  const before = monitor.anchorChild;
  const kept = before !== undefined && keepsCoins(coins, before) ? before : undefined;
  // Of an older program's child nobody knows: its time begins now.
  const since = before === undefined || before.since === 0 ? height : before.since;
  const { wanted, deadline } = urgency(monitor, conditions, since);
  if (kept !== undefined && !isReplaced(coins, kept, wanted, { ...conditions, deadline })) return kept;
  // Where it may not cost as much, or coins are short, less; one that is there makes way for more only.
  const feerates =
    kept === undefined
      ? [...fallingFeerates(wanted, estimatePerKw), ...halvesOf(estimatePerKw)]
      : fallingFeerates(wanted, kept.feeratePerKw + REPLACEMENT_PER_KW);
  const mostSat = mostCostSat(monitor);
  for (const feeratePerKw of feerates) {
    const tx = buildChild(parts, monitor, { feeratePerKw, mostSat }, kept && replacedBy(coins, kept));
    if (tx === undefined) continue;
    if (kept !== undefined) coins.transactionDropped(transactionId(kept.tx));
    coins.transactionMade(tx);
    return { tx, feeratePerKw, height, since };
  }
  return kept;
}

/**
 * As for claims: half of what the commitment brings us, and a tenth where nothing hurries. A peer could otherwise have us pay all of
 * it by HTLCs that it fills the commitment with, and a server that tells of fees by what it says.
 */
function mostCostSat(monitor: ChannelMonitor): bigint {
  const { mostSat, deadline } = commitmentStake(monitor);
  return mostSat / (deadline === undefined ? 10n : 2n);
}

/**
 * Where coins do not suffice for the estimate either, or the commitment is not worth it, less is better than nothing: it may not
 * be relayed alone. In large steps, for HTLC transactions need coins too.
 */
function halvesOf(feeratePerKw: number): readonly number[] {
  const half = Math.floor(feeratePerKw / 2);
  return half < RELAYED_PER_KW ? [RELAYED_PER_KW] : [half, ...halvesOf(half)];
}

/** The estimate, and more as the deadline of what depends on the commitment comes near. */
function urgency(
  monitor: ChannelMonitor,
  { height, feeratePerKw }: ClaimConditions,
  since: number,
): { readonly wanted: number; readonly deadline: number | undefined } {
  const { urgentSat, deadline } = commitmentStake(monitor);
  if (deadline === undefined) return { wanted: feeratePerKw, deadline };
  const weight = transactionWeight(decodeTransaction(monitor.broadcastTransaction)) + CHILD_WEIGHT;
  // The other half is for taking the HTLCs out of it.
  const terms = { weight, valueSat: urgentSat / 2n, deadline, since, isContested: true };
  return { wanted: Math.max(feeratePerKw, wantedFeerate(terms, feeratePerKw, height)), deadline };
}

/**
 * Whether a child is, or is soon to be, in the chain. It is not any more where it is six blocks deep, which no reorganisation takes
 * back; else the wallet should have its coins back.
 */
export function isAwaited(
  { confirmedSpend, outputSpends }: ChannelMonitor,
  child: AnchorChild,
  coins: CoinSelectionSource,
  blockHeight: number,
): boolean {
  const [anchor] = child.tx.inputs;
  if (confirmedSpend === undefined) return true;
  if (anchor === undefined || !equalBytes(anchor.txid, confirmedSpend.txid)) return false;
  const txid = transactionId(child.tx);
  const spent = spendOf(outputSpends, anchor);
  if (spent !== undefined) return equalBytes(spent.txid, txid) && blockHeight - spent.height + 1 < ANTI_REORG_DELAY;
  // The wallet may hear of a block first.
  if (coins.isConfirmed(txid)) return true;
  return blockHeight - confirmedSpend.height < CHILD_PATIENCE_BLOCKS;
}

/** Each replacement pays for its relay again, so small rises are not followed at once. The wallet may hear of a block first. */
const isReplaced = (
  coins: CoinSelectionSource,
  child: AnchorChild,
  wantedPerKw: number,
  now: ClaimConditions & { readonly deadline: number | undefined },
): boolean =>
  isBumpDue(child, wantedPerKw, { ...now, isContested: now.deadline !== undefined }) &&
  !coins.isConfirmed(transactionId(child.tx));

/** Whether all of a child's coins are there for it; those that the mempool is said to have dropped are taken again. */
function keepsCoins(coins: CoinSelectionSource, { tx }: AnchorChild): boolean {
  const txid = transactionId(tx);
  const has = (): boolean => coins.coinsSpentBy(txid).length === tx.inputs.length - 1;
  if (has()) return true;
  coins.transactionMade(tx);
  if (has()) return true;
  coins.transactionDropped(txid);
  return false;
}

/** What a child makes way for another with. */
const replacedBy = (coins: CoinSelectionSource, { tx }: AnchorChild): Replaced => ({
  tx,
  feeSat: ANCHOR_SAT + sumOf(coins.coinsSpentBy(transactionId(tx))) - sumOf(tx.outputs),
});

function buildChild(
  { secp, signer, coins }: AnchorChildParts,
  monitor: ChannelMonitor,
  { feeratePerKw, mostSat }: Pick<BumpRequest, 'feeratePerKw' | 'mostSat'>,
  replaces: Replaced | undefined,
): Transaction | undefined {
  const { params, broadcastTransaction } = monitor;
  if (params.format !== 'anchors') return undefined;
  const vout = holderCommitment(claimKeys(secp, signer), monitor).commitment.ownerAnchorIndex;
  if (vout === undefined) return undefined;
  const parent = decodeTransaction(broadcastTransaction);
  const weight = transactionWeight(parent);
  const feeSat = params.fundingSat - sumOf(parent.outputs);
  if (feeSat * 1000n >= BigInt(feeratePerKw) * BigInt(weight)) return undefined;
  const input = { txid: transactionId(parent), vout, sequence: 0xffff_fffd, scriptSig: new Uint8Array(0), witness: [] };
  try {
    const { tx } = coins.bump({
      tx: { version: 2, inputs: [input], outputs: [], locktime: 0 },
      prevouts: [{ amountSat: ANCHOR_SAT, script: p2wsh(anchorScript(params.holder.fundingPubkey)) }],
      witnessWeight: ANCHOR_WITNESS_WEIGHT,
      parent: { weight, feeSat },
      feeratePerKw,
      mostSat,
      replaces,
    });
    return withWitness(tx, 0, signer.signHolderAnchor({ tx, inputIndex: 0 }));
  } catch (error) {
    if (error instanceof GlowwormError && error.code === 'InsufficientFunds') return undefined;
    throw error;
  }
}
