import { equalBytes, toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { ClosedChannel } from '../../../worker/engine/channel/channel-state.ts';
import type { ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import type { ChannelParameters } from '../../../worker/engine/transactions/channel-parameters.ts';
import { anchorScript, toRemoteOutputScript } from '../../../worker/engine/transactions/channel-scripts.ts';
import { closingFeeSat } from '../../../worker/engine/transactions/closing.ts';
import { p2wsh } from '../../../worker/engine/transactions/script.ts';
import {
  transactionId,
  type Transaction,
  type TransactionOutput,
} from '../../../worker/engine/transactions/transaction.ts';
import { isFunded } from '../funding.ts';
import { claimOf, liveCommitments } from '../oracle.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';
import { UNECONOMIC_SAT } from './uneconomic.ts';

/** A close is in the chain and pays each side exactly what is its, to its own script. */
export function checkCloses(world: World): void {
  for (const side of world.honest)
    for (const { key, state } of side.node.manager.channels())
      if (state.kind === 'closed' && isFunded(world, state.params)) {
        const complain = (problem: string): void =>
          world.complain(side.name, `the close of ${key.slice(0, 8)} ${problem}`);
        const spend = world.chain.spendOf(state.params.fundingTxid, state.params.fundingOutputIndex);
        const monitor = side.view.monitors.get(key);
        if (spend === undefined || monitor === undefined) complain('is not in the chain');
        else if (state.holderMsat !== monitor.holderCommitment.spec.toHolderMsat) complain('shows another balance');
        else if (monitor.confirmedSpend?.spend.kind === 'cooperative')
          checkAgreedClose(world, side, { state, monitor, spend, complain });
        // See `checkPunishments`.
        else if (monitor.confirmedSpend?.spend.kind !== 'revokedCommitment')
          checkCommitment(world, side, { state, monitor, spend, complain });
      }
}

interface Close {
  readonly state: ClosedChannel;
  readonly monitor: ChannelMonitor;
  readonly spend: Transaction;
  readonly complain: (problem: string) => void;
}

/** The opener alone pays the fee, and not more than it is ready to. */
function checkAgreedClose(world: World, side: Side, { state, monitor, spend, complain }: Close): void {
  const { params } = state;
  const script = monitor.shutdownScript;
  const paidSat = sumOf(spend.outputs.filter((output) => equalBytes(output.script, script)));
  const dueSat = monitor.holderCommitment.spec.toHolderMsat / 1000n;
  const leastSat = params.isOpener ? dueSat - highestClosingFeeSat(world, side, script) : dueSat;
  const isDust = paidSat === 0n && leastSat < higherDustSat(params);
  if (paidSat > dueSat || (paidSat < leastSat && !isDust)) complain(`pays ${paidSat} of ${dueSat} sat`);
  if (sumOf(spend.outputs) > params.fundingSat) complain('makes money');
  if (!side.node.wallet.owns(script)) complain('names a script that is not of the wallet');
  const isKnown = ({ script: paid }: TransactionOutput): boolean =>
    world.sides.some(({ node }) => node.wallet.owns(paid));
  const stranger = spend.outputs.find((output) => !isKnown(output));
  if (stranger !== undefined && world.honest.length === world.sides.length) complain('pays to a stranger');
}

/** Three times what the side itself would offer, and what it pays besides to have no force close. */
const highestClosingFeeSat = (world: World, side: Side, script: Uint8Array): bigint =>
  closingFeeSat([script, script], world.highestFeerateOf(side) * 3) + side.node.config.forceCloseAvoidanceMaxFeeSat;

const higherDustSat = ({ holder, counterparty }: ChannelParameters): bigint =>
  holder.dustLimitSat > counterparty.dustLimitSat ? holder.dustLimitSat : counterparty.dustLimitSat;

function checkCommitment(world: World, side: Side, { state, monitor, spend, complain }: Close): void {
  const [commitment] = liveCommitments(monitor);
  if (commitment === undefined) return complain(`is by ${monitor.confirmedSpend?.spend.kind ?? 'nobody'}`);
  const { balanceSat } = claimOf(monitor, commitment);
  const ours = mainOutputs(state.params, commitment.owner, spend.outputs);
  const paying = ours.filter(({ output }) => output.amountSat === balanceSat);
  if (balanceSat === 0n) return;
  if (paying.length === 0) return complain(`does not pay ${balanceSat} sat to ${side.name}`);
  const txid = transactionId(spend);
  const sweeps = paying.flatMap(({ vout }) => world.chain.spendOf(txid, vout) ?? []);
  if (sweeps.length === 0 && balanceSat > UNECONOMIC_SAT) complain(`leaves ${balanceSat} sat unswept`);
}

/** Outputs that may be a side's balance: `to_remote` by its script, `to_local` by what it is not. */
function mainOutputs(
  { format, holder, counterparty }: ChannelParameters,
  owner: 'holder' | 'counterparty',
  outputs: readonly TransactionOutput[],
): readonly { readonly vout: number; readonly output: TransactionOutput }[] {
  const all = outputs.map((output, vout) => ({ output, vout }));
  const [ours, theirs] = [holder, counterparty].map(({ paymentBasepoint }) =>
    toHex(toRemoteOutputScript(format, paymentBasepoint)),
  );
  if (owner === 'counterparty') return all.filter(({ output }) => toHex(output.script) === ours);
  const anchors = [holder, counterparty].map(({ fundingPubkey }) => toHex(p2wsh(anchorScript(fundingPubkey))));
  return all.filter(({ output }) => ![...anchors, theirs].includes(toHex(output.script)));
}

const sumOf = (outputs: readonly TransactionOutput[]): bigint =>
  outputs.reduce((sum, { amountSat }) => sum + amountSat, 0n);
