import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import {
  decodeTransaction,
  transactionId,
  type Outpoint,
  type Transaction,
} from '../../../worker/engine/transactions/transaction.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';
import { UNECONOMIC_SAT } from './uneconomic.ts';

/**
 * Of a revoked commitment everything is the honest side's, before the cheater's delay is over: also what the cheater's HTLC
 * transactions made of it.
 */
export function checkPunishments(world: World): void {
  for (const side of world.honest)
    for (const monitor of side.view.monitors.values()) {
      const spend = monitor.confirmedSpend;
      if (spend?.spend.kind !== 'revokedCommitment') continue;
      world.punished++;
      checkOutputs(world, side, monitor, decodeTransaction(spend.transaction), () => true);
    }
}

function checkOutputs(
  world: World,
  side: Side,
  monitor: ChannelMonitor,
  made: Transaction,
  isTheirs: (vout: number) => boolean,
): void {
  const txid = transactionId(made);
  for (const [vout, { amountSat }] of made.outputs.entries())
    if (amountSat > UNECONOMIC_SAT && isTheirs(vout)) checkOutput(world, side, monitor, { txid, vout }, amountSat);
}

function checkOutput(world: World, side: Side, monitor: ChannelMonitor, outpoint: Outpoint, amountSat: bigint): void {
  const complain = (problem: string): void =>
    world.complain(side.name, `${amountSat} sat of a revoked commitment ${problem}`);
  const spend = world.chain.spendOf(outpoint.txid, outpoint.vout);
  if (spend === undefined) return complain('are not taken');
  const isOurs = world.broadcastBy.get(toHex(transactionId(spend))) === side.name;
  // The output at the place of the input is what became of the HTLC; the others are the cheater's change.
  if (!isOurs) {
    world.takenFirst++;
    return checkOutputs(world, side, monitor, spend, isOutputOf(outpoint, spend));
  }
  const takenAt = world.chain.heightOf(transactionId(spend)) ?? Infinity;
  const madeAt = world.chain.heightOf(outpoint.txid) ?? 0;
  const { toSelfDelay } = monitor.params.holder;
  if (takenAt > madeAt + toSelfDelay) complain(`are taken ${takenAt - madeAt} blocks later`);
}

const isOutputOf =
  ({ txid, vout }: Outpoint, { inputs }: Transaction) =>
  (index: number): boolean => {
    const input = inputs[index];
    return input !== undefined && input.vout === vout && toHex(input.txid) === toHex(txid);
  };
