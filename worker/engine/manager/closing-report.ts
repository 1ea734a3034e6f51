import type { ClosedChannel } from '../channel/channel-state.ts';
import {
  claimableBalances,
  closeBalances,
  closingSpec,
  isCertainBalance,
  unspentClaims,
  worthMsat,
  type Balance,
} from '../monitor/balances.ts';
import type { ChannelMonitor } from '../monitor/channel-monitor.ts';
import type { Claim } from '../monitor/claims/claim.ts';
import { claimKeys } from '../monitor/claims/claim-keys.ts';
import { claimName } from '../monitor/claims/claim-transaction.ts';
import { equalBytes, toHex } from '../primitives/bytes.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { anchorScript } from '../transactions/channel-scripts.ts';
import { htlcTransaction } from '../transactions/htlc-transaction.ts';
import { p2wsh } from '../transactions/script.ts';
import { decodeTransaction, transactionId, type Outpoint, type Transaction } from '../transactions/transaction.ts';
import { sumOf } from '../wallet/wallet-transaction.ts';
import type { OnchainWallet } from '../wallet/wallet.ts';
import { isUnfunded, type ChannelEntry } from './channel-entry.ts';

/** What a report needs beside the channel. */
export interface ReportParts {
  readonly secp: Secp256k1;
  readonly wallet: OnchainWallet;
  readonly isPaid: (paymentHash: Uint8Array) => boolean;
  readonly blockHeight: number;
  /** Where claims pay to. */
  readonly destinationScript: Uint8Array;
}

/** What becomes of the money of a closed channel: each satoshi is here, a coin of the wallet, or a cost. */
export interface ClosingReport {
  /** `nobody`: the channel was never funded, and there is nothing in it. */
  readonly closedBy: 'holder' | 'counterparty' | 'both' | 'nobody';
  /** 32 bytes, wire order, of the transaction that closes it, or is expected to. */
  readonly txid: Uint8Array;
  /** Of the block that it is in. */
  readonly height: number | undefined;
  /** What was ours before the close, payments of ours that are under way included. */
  readonly worthMsat: bigint;
  /** What the closing transaction takes of it for its fee, with what is too small for an output of its own. */
  readonly feeMsat: bigint;
  /** What is, or may become, ours and is no coin of the wallet yet. */
  readonly balances: readonly Balance[];
  /** Transactions of ours after it, in the order of the chain; those in no block last. */
  readonly steps: readonly ClosingStep[];
  /** What else came, as out of a revoked commitment, or where it is negative what the counterparty took. */
  readonly gainMsat: bigint;
}

/** A transaction of ours that takes something out of a close, or pays for one that does. */
export interface ClosingStep {
  readonly kind: 'anchorChild' | 'claim';
  /** 32 bytes, wire order. */
  readonly txid: Uint8Array;
  /** The coins that it made, less those that it spent; negative where coins pay for it. */
  readonly broughtSat: bigint;
  /** Its fee; a child's less its anchor, which the commitment has paid for. */
  readonly costSat: bigint;
  /** Of its block. */
  readonly height: number | undefined;
}

/** What is ours of balances. Those that wait for a preimage are not. */
export const ourBalance = (balances: readonly Balance[]): bigint =>
  sumOf(balances.filter(({ kind }) => kind !== 'maybePreimageClaimableHtlc'));

/** What is ours for certain. */
export const certainBalance = (balances: readonly Balance[]): bigint => sumOf(balances.filter(isCertainBalance));

/** The report of a closed channel. Derived anew from what its monitor and the wallet know at the moment. */
export function closingReport(
  parts: ReportParts,
  entry: ChannelEntry,
  monitor: ChannelMonitor,
): ClosingReport | undefined {
  const { state } = entry;
  if (state.kind !== 'closed') return undefined;
  if (isUnfundedClose(state)) return nothing(state);
  const known = worthMsat(closingSpec(monitor), monitor.preimages, parts.isPaid);
  const agreed = agreedClose(state, monitor);
  return agreed === undefined
    ? reportOfCommitment(parts, entry, monitor, known)
    : reportOfAgreed(parts, agreed, monitor, known);
}

/** Of a channel whose money never was in it: its coins are where they were. */
function isUnfundedClose(state: ClosedChannel): boolean {
  // One that came late is there, whatever was said of it before.
  if (state.unseenFunding === undefined) return false;
  const { kind } = state.reason;
  return isUnfunded(state) || kind === 'fundingReplaced' || kind === 'fundingInvalid' || kind === 'fundingTimedOut';
}

const nothing = ({ params }: ClosedChannel): ClosingReport => ({
  closedBy: 'nobody',
  txid: params.fundingTxid,
  height: undefined,
  worthMsat: 0n,
  feeMsat: 0n,
  balances: [],
  steps: [],
  gainMsat: 0n,
});

function agreedClose({ reason }: ClosedChannel, { confirmedSpend }: ChannelMonitor): Uint8Array | undefined {
  if (confirmedSpend !== undefined)
    return confirmedSpend.spend.kind === 'cooperative' ? confirmedSpend.transaction : undefined;
  return reason.kind === 'cooperative' ? reason.transaction : undefined;
}

/** Its output is a coin as soon as the wallet knows of it. */
function reportOfAgreed(
  { wallet }: ReportParts,
  transaction: Uint8Array,
  { confirmedSpend }: ChannelMonitor,
  known: bigint,
): ClosingReport {
  const tx = decodeTransaction(transaction);
  const txid = transactionId(tx);
  const ours = tx.outputs.flatMap(({ script, amountSat }, vout): Balance[] =>
    wallet.owns(script) ? [{ kind: 'claimableOnChannelClose', outpoint: { txid, vout }, amountSat }] : [],
  );
  return {
    closedBy: 'both',
    txid,
    height: confirmedSpend?.height,
    worthMsat: known,
    feeMsat: known - sumOf(ours) * 1000n,
    balances: wallet.knows(txid) ? [] : ours,
    steps: [],
    gainMsat: 0n,
  };
}

function reportOfCommitment(
  parts: ReportParts,
  entry: ChannelEntry,
  monitor: ChannelMonitor,
  known: bigint,
): ClosingReport {
  const keys = claimKeys(parts.secp, entry.signer);
  const conditions = { height: parts.blockHeight, destinationScript: parts.destinationScript };
  const { close, claims, balances: first } = closeBalances(keys, monitor, conditions);
  const isOurs = (balance: Balance): boolean =>
    balance.kind !== 'maybeTimeoutClaimableHtlc' || !parts.isPaid(balance.paymentHash);
  const left = claimableBalances(keys, monitor, conditions).filter(isOurs);
  const spends = new ChannelSpends(parts, monitor, decodeTransaction(close.transaction), claims);
  const confirmed = monitor.outputSpends.flatMap(({ transaction, height }) =>
    spends.stepOf(decodeTransaction(transaction), height),
  );
  const { anchorChild, packages } = monitor;
  const made = anchorChild === undefined ? packages : [anchorChild, ...packages];
  const there = new Set(unspentClaims(keys, monitor).map(({ outpoint }) => claimName(outpoint)));
  const pending = made.flatMap(({ tx }) => spends.pendingStepOf(tx, there));
  const taken = new Set(pending.flatMap(({ sweeps }) => sweeps));
  const balances = left.filter(({ outpoint }) => !taken.has(claimName(outpoint)));
  const steps = [...confirmed, ...pending];
  const firstMsat = ourBalance(first.filter(isOurs)) * 1000n;
  const leftMsat = steps.reduce((sum, { takenSat }) => sum + takenSat, ourBalance(balances)) * 1000n;
  const isKnown = close.spend.kind === 'holderCommitment' || close.spend.kind === 'counterpartyCommitment';
  return {
    closedBy: close.spend.kind === 'holderCommitment' ? 'holder' : 'counterparty',
    txid: close.txid,
    height: monitor.confirmedSpend?.height,
    worthMsat: known,
    feeMsat: isKnown ? known - firstMsat : 0n,
    balances,
    steps: steps.map(({ step }) => step),
    gainMsat: leftMsat - (isKnown ? firstMsat : known),
  };
}

interface Spend {
  readonly step: ClosingStep;
  /** What it takes out of the channel, less what stays in it in outputs of HTLC transactions. */
  readonly takenSat: bigint;
  /** The outputs whose money is a coin of the wallet already, by name. */
  readonly sweeps: readonly string[];
}

/** Tells which transactions that spend outputs of a close are ours, and what they do. */
class ChannelSpends {
  readonly #wallet: OnchainWallet;
  readonly #monitor: ChannelMonitor;
  readonly #claims: ReadonlyMap<string, Claim>;
  readonly #anchorScript: Uint8Array;
  /** What is in the chain of the channel, by txid in hex. */
  readonly #made: ReadonlyMap<string, Transaction>;

  constructor({ wallet }: ReportParts, monitor: ChannelMonitor, close: Transaction, claims: readonly Claim[]) {
    this.#wallet = wallet;
    this.#monitor = monitor;
    this.#claims = new Map(claims.map((claim) => [claimName(claim.outpoint), claim]));
    this.#anchorScript = p2wsh(anchorScript(monitor.params.holder.fundingPubkey));
    const spends = monitor.outputSpends.map(({ transaction }) => decodeTransaction(transaction));
    this.#made = new Map([close, ...spends].map((tx) => [toHex(transactionId(tx)), tx]));
  }

  /** Nothing where it is not ours. */
  stepOf(tx: Transaction, height: number | undefined): readonly Spend[] {
    const stays = tx.outputs.filter(({ script }) => !this.#wallet.owns(script));
    if (!tx.outputs.every((_, index) => this.#isOurs(tx, index))) return [];
    const txid = transactionId(tx);
    const coins = this.#wallet.coinsSpentBy(txid);
    const inputs = tx.inputs.filter((input) => this.#isOfChannel(input));
    if (inputs.length + coins.length !== tx.inputs.length) return [];
    const takenSat = inputs.reduce((sum, input) => sum + this.#valueSat(input), 0n) - sumOf(stays);
    const broughtSat = sumOf(tx.outputs) - sumOf(stays) - sumOf(coins);
    const kind = inputs.every((input) => this.#isAnchor(input)) ? 'anchorChild' : 'claim';
    const sweeps = stays.length === 0 ? inputs.map(claimName) : [];
    return [{ step: { kind, txid, broughtSat, costSat: takenSat - broughtSat, height }, takenSat, sweeps }];
  }

  /** As `stepOf`, of one in no block, once the wallet knows of it and while it can still be in one. */
  pendingStepOf(tx: Transaction, there: ReadonlySet<string>): readonly Spend[] {
    const txid = transactionId(tx);
    if (this.#monitor.outputSpends.some((spend) => equalBytes(spend.txid, txid))) return [];
    if (!this.#wallet.knows(txid) && this.#wallet.coinsSpentBy(txid).length === 0) return [];
    const isThere = (input: Outpoint): boolean =>
      !this.#isOfChannel(input) || this.#isAnchor(input) || there.has(claimName(input));
    return tx.inputs.every(isThere) ? this.stepOf(tx, undefined) : [];
  }

  /** Whether an output is a coin of the wallet, or that of an HTLC transaction of ours. */
  #isOurs({ inputs, outputs }: Transaction, index: number): boolean {
    const [input, output] = [inputs[index], outputs[index]];
    if (output === undefined || this.#wallet.owns(output.script)) return true;
    const claim = input && this.#claims.get(claimName(input));
    if (claim?.kind !== 'holderHtlc') return false;
    const [own] = htlcTransaction(claim.input, claim.outpoint.txid, claim.htlc).outputs;
    return own !== undefined && equalBytes(own.script, output.script);
  }

  /** The change of a child is a coin as any other. */
  #isOfChannel(input: Outpoint): boolean {
    const output = this.#output(input);
    return output !== undefined && !this.#wallet.owns(output.script);
  }

  /** An anchor counts for nothing: whoever opened the channel has paid for it. */
  #valueSat(input: Outpoint): bigint {
    return this.#isAnchor(input) ? 0n : (this.#output(input)?.amountSat ?? 0n);
  }

  #isAnchor(input: Outpoint): boolean {
    const output = this.#output(input);
    return output !== undefined && equalBytes(output.script, this.#anchorScript);
  }

  #output({ txid, vout }: Outpoint): Transaction['outputs'][number] | undefined {
    return this.#made.get(toHex(txid))?.outputs[vout];
  }
}
