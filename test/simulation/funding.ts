import { equalBytes, toHex } from '../../worker/engine/primitives/bytes.ts';
import type { ChannelParameters } from '../../worker/engine/transactions/channel-parameters.ts';
import { fundingScript } from '../../worker/engine/transactions/channel-scripts.ts';
import { p2wsh } from '../../worker/engine/transactions/script.ts';
import type { Outpoint, TransactionOutput } from '../../worker/engine/transactions/transaction.ts';
import type { Side } from './side.ts';
import type { World } from './world.ts';

export const fundingOutpoint = ({ fundingTxid: txid, fundingOutputIndex: vout }: ChannelParameters): Outpoint => ({
  txid,
  vout,
});

/** What the funding transaction of a channel has to have at its outpoint. */
export const fundingOutput = ({ holder, counterparty, fundingSat }: ChannelParameters): TransactionOutput => ({
  amountSat: fundingSat,
  script: p2wsh(fundingScript(holder.fundingPubkey, counterparty.fundingPubkey)),
});

/** Whether there is money in a channel: its outpoint is confirmed, and has its amount and script. */
export function isFunded(world: World, params: ChannelParameters): boolean {
  const found = world.chain.outputOf(fundingOutpoint(params));
  const { amountSat, script } = fundingOutput(params);
  return found !== undefined && found.amountSat === amountSat && equalBytes(found.script, script);
}

/** Names what an opener gave away in a channel. */
export const pushName = (openerNodeId: string, fundingPubkey: Uint8Array): string =>
  `${openerNodeId} ${toHex(fundingPubkey)}`;

/** What a side had in a channel when it was opened in this run, in millisatoshi. */
export function openedWithMsat(world: World, side: Side, params: ChannelParameters): bigint {
  const { isOpener, fundingSat, holder, counterparty, counterpartyNodeId } = params;
  const name = isOpener
    ? pushName(side.node.nodeId, holder.fundingPubkey)
    : pushName(toHex(counterpartyNodeId), counterparty.fundingPubkey);
  const pushedMsat = world.pushedMsat.get(name) ?? 0n;
  return isOpener ? fundingSat * 1000n - pushedMsat : pushedMsat;
}
