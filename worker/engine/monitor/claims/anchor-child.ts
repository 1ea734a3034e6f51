import { equalBytes } from '../../primitives/bytes.ts';
import { GlowwormError } from '../../primitives/errors.ts';
import type { Secp256k1 } from '../../primitives/secp256k1.ts';
import type { ChannelSigner } from '../../keys/channel-signer.ts';
import type { ChannelMonitor } from '../channel-monitor.ts';
import { holderCommitment } from '../holder-commitment.ts';
import { anchorScript } from '../../transactions/channel-scripts.ts';
import { ANCHOR_SAT } from '../../transactions/commitment-fees.ts';
import { p2wsh } from '../../transactions/script.ts';
import {
  decodeTransaction,
  transactionId,
  transactionWeight,
  withWitness,
  type Transaction,
} from '../../transactions/transaction.ts';
import { claimKeys } from './claim-keys.ts';
import type { CoinSource } from './claim-transaction.ts';
import { spendOf } from './confirmed-spends.ts';

/** A transaction that pays for our broadcast commitment, through its anchor (the first input) and coins of the coins. */
export interface AnchorChild {
  readonly tx: Transaction;
  /** What it was to bring the commitment and itself to. */
  readonly feeratePerKw: number;
}

/** What a child is made of. */
export interface AnchorChildParts {
  readonly secp: Secp256k1;
  readonly signer: ChannelSigner;
  readonly coins: CoinSource;
}

/** Of a signature, the anchor's script and their lengths. */
const ANCHOR_WITNESS_WEIGHT = 116;
/**
 * A child that is not in the block of its commitment is in the next ones, or was never in the miners' mempools. So long its
 * coins wait for it: spending them elsewhere would conflict with a child that is still under way.
 */
const CHILD_PATIENCE_BLOCKS = 6;

/**
 * The child to broadcast with our commitment; the wallet keeps its coins for it. It is that of before until the wanted feerate
 * has risen by a quarter, or its coins went elsewhere. `undefined` where the commitment pays enough itself, has no anchor,
 * or the wallet has no coins, and where the child would cost more than the commitment brings us, as a peer could arrange
 * again and again: then it goes out as it is.
 */
export function anchorChild(
  parts: AnchorChildParts,
  monitor: ChannelMonitor,
  feeratePerKw: number,
): AnchorChild | undefined {
  const { coins } = parts;
  const before = monitor.anchorChild;
  const kept = before !== undefined && keepsCoins(coins, before) ? before : undefined;
  if (kept !== undefined && !isWorthReplacing(coins, kept, feeratePerKw)) return kept;
  const child = buildChild(parts, monitor, feeratePerKw, kept?.tx);
  if (child === undefined) return kept;
  if (kept !== undefined) coins.transactionDropped(transactionId(kept.tx));
  coins.transactionSeen(child.tx);
  return child;
}

/** Whether a child is, or is soon to be, in the chain; if not, the wallet should have its coins back. */
export function isAwaited(
  { confirmedSpend, outputSpends }: ChannelMonitor,
  child: AnchorChild,
  coins: CoinSource,
  blockHeight: number,
): boolean {
  const [anchor] = child.tx.inputs;
  if (confirmedSpend === undefined) return true;
  if (anchor === undefined || !equalBytes(anchor.txid, confirmedSpend.txid)) return false;
  const txid = transactionId(child.tx);
  if (coins.isConfirmed(txid)) return true;
  const spent = spendOf(outputSpends, anchor);
  if (spent !== undefined) return equalBytes(spent.txid, txid);
  return blockHeight - confirmedSpend.height < CHILD_PATIENCE_BLOCKS;
}

/** Each replacement pays for its relay again, so small rises are not followed. The wallet may hear of a block first. */
const isWorthReplacing = (coins: CoinSource, child: AnchorChild, feeratePerKw: number): boolean =>
  feeratePerKw * 4 >= child.feeratePerKw * 5 && !coins.isConfirmed(transactionId(child.tx));

/** Whether all of a child's coins are there for it; those that the mempool is said to have dropped are taken again. */
function keepsCoins(coins: CoinSource, { tx }: AnchorChild): boolean {
  const txid = transactionId(tx);
  const has = (): boolean => coins.coinsSpentBy(txid).length === tx.inputs.length - 1;
  if (has()) return true;
  coins.transactionSeen(tx);
  if (has()) return true;
  coins.transactionDropped(txid);
  return false;
}

function buildChild(
  { secp, signer, coins }: AnchorChildParts,
  monitor: ChannelMonitor,
  feeratePerKw: number,
  replaces: Transaction | undefined,
): AnchorChild | undefined {
  const { params, broadcastTransaction } = monitor;
  if (params.format !== 'anchors') return undefined;
  const vout = holderCommitment(claimKeys(secp, signer), monitor).commitment.ownerAnchorIndex;
  if (vout === undefined) return undefined;
  const parent = decodeTransaction(broadcastTransaction);
  const weight = transactionWeight(parent);
  const paid = parent.outputs.reduce((sum, { amountSat }) => sum + amountSat, 0n);
  const feeSat = params.fundingSat - paid;
  if (feeSat * 1000n >= BigInt(feeratePerKw) * BigInt(weight)) return undefined;
  const input = { txid: transactionId(parent), vout, sequence: 0xffff_fffd, scriptSig: new Uint8Array(0), witness: [] };
  try {
    const { tx, feeSat: costSat } = coins.bump({
      tx: { version: 2, inputs: [input], outputs: [], locktime: 0 },
      prevouts: [{ amountSat: ANCHOR_SAT, script: p2wsh(anchorScript(params.holder.fundingPubkey)) }],
      witnessWeight: ANCHOR_WITNESS_WEIGHT,
      parent: { weight, feeSat },
      feeratePerKw,
      ...(replaces === undefined ? {} : { replaces }),
    });
    if (costSat > atStakeSat(monitor)) return undefined;
    return { tx: withWitness(tx, 0, signer.signHolderAnchor({ tx, inputIndex: 0 })), feeratePerKw };
  } catch (error) {
    if (error instanceof GlowwormError && error.code === 'InsufficientFunds') return undefined;
    throw error;
  }
}

/** The most that our commitment can bring us: our balance, and every HTLC, for each may turn out to be ours. */
const atStakeSat = ({ holderCommitment: { spec } }: ChannelMonitor): bigint =>
  spec.htlcs.reduce((sum, { amountMsat }) => sum + amountMsat, spec.toHolderMsat as bigint) / 1000n;
