import { GlowwormError } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { ChannelSigner } from '../keys/channel-signer.ts';
import type { ChannelMonitor } from '../monitor/channel-monitor.ts';
import { holderCommitment } from '../monitor/holder-commitment.ts';
import type { MaturingOutput } from '../monitor/spendable-outputs.ts';
import { anchorScript } from '../transactions/channel-scripts.ts';
import { ANCHOR_SAT } from '../transactions/commitment-fees.ts';
import { p2wsh } from '../transactions/script.ts';
import {
  decodeTransaction,
  encodeTransaction,
  transactionId,
  transactionWeight,
  withWitness,
} from '../transactions/transaction.ts';
import { buildSweep } from '../wallet/sweep.ts';
import type { OnchainWallet } from '../wallet/wallet.ts';

/** Of a signature, the anchor's script and their lengths. */
const ANCHOR_WITNESS_WEIGHT = 116;

/**
 * The child that brings our broadcast commitment to a feerate, through its anchor and coins of the wallet. `undefined`
 * where the commitment pays enough itself, has no anchor, or the wallet has no coins: then it goes out as it is.
 */
export function anchorChild(
  secp: Secp256k1,
  signer: ChannelSigner,
  monitor: ChannelMonitor,
  wallet: OnchainWallet,
  feeratePerKw: number,
): Uint8Array | undefined {
  const { params, broadcastTransaction } = monitor;
  if (params.format !== 'anchors' || broadcastTransaction.length === 0) return undefined;
  const { commitment } = holderCommitment(secp, signer, monitor);
  const vout = commitment.ownerAnchorIndex;
  if (vout === undefined) return undefined;
  const parent = decodeTransaction(broadcastTransaction);
  const weight = transactionWeight(parent);
  const paid = parent.outputs.reduce((sum, { amountSat }) => sum + amountSat, 0n);
  const feeSat = params.fundingSat - paid;
  if (feeSat * 1000n >= BigInt(feeratePerKw) * BigInt(weight)) return undefined;
  const input = { txid: transactionId(parent), vout, sequence: 0xffff_fffd, scriptSig: new Uint8Array(0), witness: [] };
  try {
    const { tx } = wallet.bump({
      tx: { version: 2, inputs: [input], outputs: [], locktime: 0 },
      prevouts: [{ amountSat: ANCHOR_SAT, script: p2wsh(anchorScript(params.holder.fundingPubkey)) }],
      witnessWeight: ANCHOR_WITNESS_WEIGHT,
      parent: { weight, feeSat },
      feeratePerKw,
    });
    return encodeTransaction(withWitness(tx, 0, signer.signHolderAnchor({ tx, inputIndex: 0 })));
  } catch (error) {
    if (error instanceof GlowwormError && error.code === 'InsufficientFunds') return undefined;
    throw error;
  }
}

/** Moves outputs of a closed channel to the wallet; `undefined` while they are not worth the fee. */
export function sweep(
  signer: ChannelSigner,
  outputs: readonly MaturingOutput[],
  script: Uint8Array,
  feeratePerKw: number,
): Uint8Array | undefined {
  try {
    return buildSweep(
      outputs.map(({ output }) => output),
      script,
      feeratePerKw,
      (output, spending) =>
        output.kind === 'delayed'
          ? signer.signToLocalSweep(spending, output)
          : signer.signToRemoteSweep(spending, output.format),
    ).rawTx;
  } catch (error) {
    if (error instanceof GlowwormError && error.code === 'NothingToSweep') return undefined;
    throw error;
  }
}
