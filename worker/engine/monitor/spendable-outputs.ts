import { equalBytes } from '../primitives/bytes.ts';
import type { ChannelSigner } from '../keys/channel-signer.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { toRemoteOutputScript } from '../transactions/channel-scripts.ts';
import { decodeTransaction, type Transaction } from '../transactions/transaction.ts';
import type { SpendableOutput } from '../wallet/sweep.ts';
import type { ChannelMonitor } from './channel-monitor.ts';
import { holderCommitment } from './holder-commitment.ts';

/** An output of a confirmed close that is ours, and the first height whose block may spend it. */
export interface MaturingOutput {
  readonly output: SpendableOutput;
  readonly spendableAt: number;
}

/**
 * Our main output of a confirmed commitment: `to_local` of ours after its delay, `to_remote` of the counterparty's after
 * one block. Nothing where there is none, or it is spent already.
 */
export function maturingOutputs(
  secp: Secp256k1,
  signer: ChannelSigner,
  monitor: ChannelMonitor,
): readonly MaturingOutput[] {
  const { confirmedSpend, params } = monitor;
  if (confirmedSpend === undefined) return [];
  const { spend, txid, height } = confirmedSpend;
  const transaction = decodeTransaction(confirmedSpend.transaction);
  const { channelKeysIndex } = params;
  const unspent = (vout: number): boolean => !monitor.resolvedOutputs.some((resolved) => resolved.vout === vout);
  if (spend.kind === 'cooperative') return [];
  if (spend.kind !== 'holderCommitment') {
    const script = toRemoteOutputScript(params.format, params.holder.paymentBasepoint);
    const vout = transaction.outputs.findIndex((output) => equalBytes(output.script, script));
    if (vout < 0 || !unspent(vout)) return [];
    const outpoint = { txid, vout };
    const { format } = params;
    const amountSat = amountAt(transaction, vout);
    return [{ output: { kind: 'toRemote', outpoint, amountSat, channelKeysIndex, format }, spendableAt: height + 1 }];
  }
  const { input, commitment } = holderCommitment(secp, signer, monitor);
  const vout = commitment.toOwnerIndex;
  if (vout === undefined || !unspent(vout)) return [];
  const output: SpendableOutput = {
    kind: 'delayed',
    outpoint: { txid, vout },
    amountSat: amountAt(transaction, vout),
    channelKeysIndex,
    commitmentNumber: monitor.holderCommitment.number,
    toSelfDelay: input.toSelfDelay,
    revocationPubkey: input.keys.revocationPubkey,
  };
  return [{ output, spendableAt: height + input.toSelfDelay }];
}

const amountAt = ({ outputs }: Transaction, vout: number): bigint => outputs[vout]?.amountSat ?? 0n;
