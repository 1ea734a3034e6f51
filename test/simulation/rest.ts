import { equalBytes, toHex } from '../../worker/engine/primitives/bytes.ts';
import { encodeOpenChannel } from '../../worker/engine/channel/channel-records.ts';
import { isQuiet } from '../../worker/engine/channel/commitments.ts';
import { isOpen, type OpenEntry } from '../../worker/engine/manager/channel-entry.ts';
import { storeName } from '../../worker/engine/monitor/channel-records.ts';
import type { OutboundPayment } from '../../worker/engine/payments/outbound-payment.ts';
import { encodeWallet } from '../../worker/engine/wallet/wallet-record.ts';
import type { Side } from './side.ts';
import type { World } from './world.ts';
import type { SideName } from './world-start.ts';

/** After everything was delivered and completed on a connection. */
export function checkQuiet(world: World): void {
  for (const side of world.sides) {
    const wallet = side.view.records.get('coin/state');
    if (wallet !== undefined && !equalBytes(wallet, encodeWallet(side.node.wallet.state)))
      world.complain(side.name, 'the wallet differs from what is durable');
    for (const entry of side.node.manager.channels()) if (isOpen(entry)) checkQuietChannel(world, side, entry);
  }
  if (world.forced) return;
  checkPayments(world);
  checkCloses(world);
  for (const side of world.sides) {
    const due = world.payments.reduce((sum, { amountMsat, from, paymentHash }) => {
      const paid = outboundOf(world, from, paymentHash)?.state.kind === 'succeeded';
      if (!paid) return sum;
      return from === side.name ? sum - amountMsat : sum + amountMsat;
    }, world.beganWithMsat[side.name]);
    if (!world.opened && side.inChannelsMsat !== due)
      world.complain(side.name, `has ${side.inChannelsMsat} msat, not ${due}`);
  }
}

/** A close that both agreed on is in the chain and pays whoever does not pay the fee exactly. */
function checkCloses(world: World): void {
  for (const side of world.sides)
    for (const { state } of side.node.manager.channels()) {
      if (state.kind !== 'closed' || state.reason.kind !== 'cooperative') continue;
      const { fundingTxid, fundingOutputIndex, isOpener, fundingSat } = state.params;
      const spend = world.chain.spendOf(fundingTxid, fundingOutputIndex);
      if (spend === undefined) {
        world.complain(side.name, 'a close that was agreed on is not in the chain');
        continue;
      }
      const amounts = spend.outputs.map(({ amountSat }) => amountSat);
      if (amounts.reduce((sum, each) => sum + each, 0n) > fundingSat) world.complain(side.name, 'a close makes money');
      const dueSat = state.holderMsat / 1000n;
      if (!isOpener && dueSat >= DUST_SAT && !amounts.includes(dueSat))
        world.complain(side.name, `a close pays ${amounts.join(' and ')} sat, not ${dueSat}`);
    }
}

/** Above every dust limit of an output to the wallet. */
const DUST_SAT = 600n;

const outboundOf = (world: World, name: SideName, paymentHash: string): OutboundPayment | undefined =>
  world[name].node.manager.outboundPayments.all().find((each) => toHex(each.paymentHash) === paymentHash);

function checkQuietChannel(world: World, side: Side, entry: OpenEntry): void {
  const complain = (problem: string): void => world.complain(side.name, `at rest, ${problem}`);
  const { state, signer, key } = entry;
  const record = side.view.records.get(`chan/${storeName(state.params)}/state`);
  if (record === undefined || !equalBytes(record, encodeOpenChannel(state, signer.state)))
    complain('a channel differs from what is durable');
  const peer = world
    .other(side)
    .node.manager.channels()
    .find((each) => each.key === key);
  if (peer === undefined || !isOpen(peer)) {
    if (!world.forced && !world.opened) complain('a channel is open on one side only');
    return;
  }
  if (world.forced) return;
  if (entry.connection !== 'connected') complain('a channel is not connected');
  if (state.holderReadySent && state.counterpartyReady && !isQuiet(state.commitments))
    complain('a channel still moves');
  const { holderCommit, counterpartyCommit } = state.commitments;
  const theirs = peer.state.commitments;
  if (holderCommit.number !== theirs.counterpartyCommit.number) complain('the commitment numbers differ');
  for (const [ours, mirrored] of [
    [holderCommit.spec, theirs.counterpartyCommit.spec],
    [counterpartyCommit.spec, theirs.holderCommit.spec],
  ] as const) {
    if (ours.toHolderMsat !== mirrored.toCounterpartyMsat || ours.toCounterpartyMsat !== mirrored.toHolderMsat)
      complain('the balances differ');
    if (ours.feeratePerKw !== mirrored.feeratePerKw) complain('the feerates differ');
  }
}

/** Every payment has one outcome, the same on both sides. */
function checkPayments(world: World): void {
  for (const { paymentHash, amountMsat, from, to } of world.payments) {
    const sent = outboundOf(world, from, paymentHash);
    const received = world[to].node.manager.inboundPayments
      .all()
      .find((p) => toHex(p.paymentHash) === paymentHash)?.received;
    const name = `the payment of ${amountMsat} msat from ${from}`;
    if (sent?.state.kind === 'pending') world.complain(from, `${name} is pending for ever`);
    if ((sent?.state.kind === 'succeeded') !== (received !== undefined))
      world.complain(from, `${name} ${sent?.state.kind ?? 'is unknown'}, received: ${received !== undefined}`);
    if (received !== undefined && received.amountMsat !== amountMsat)
      world.complain(to, `${name} came as ${received.amountMsat}`);
    const durable = world[from].view.outbound.get(paymentHash);
    if (durable?.state.kind !== sent?.state.kind) world.complain(from, `${name} is not durable as it is`);
  }
}
