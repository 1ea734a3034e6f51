import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import { outboundOf, receivedBy } from '../settlement.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';
import { isShared } from './forwards.ts';
import { isLostIn } from './lost-htlcs.ts';

type Payment = World['payments'][number];

/** Every payment between honest sides has one outcome, the same for both, and has cost what its payer was told. */
export function checkPayments(world: World): void {
  for (const payment of world.payments) {
    if (world.isWrong(world.side(payment.from)) || world.isWrong(world.side(payment.to))) continue;
    if (isShared(world, payment.paymentHash)) checkShared(world, payment);
    else checkPayment(world, payment);
  }
}

function checkPayment(world: World, payment: Payment): void {
  const { paymentHash, amountMsat, from, to } = payment;
  const [payer, payee] = [world.side(from), world.side(to)];
  const received = receivedBy(payee, paymentHash);
  const name = nameOf(payment);
  const kind = checkEnded(world, payment);
  if (kind === 'lost') return;
  if ((kind === 'succeeded') !== (received !== undefined))
    world.complain(from, `${name} ${kind ?? 'is unknown'}, received: ${received !== undefined}`);
  if (received !== undefined && received.amountMsat !== amountMsat)
    world.complain(to, `${name} came as ${received.amountMsat}`);
  if (kind === 'succeeded') checkCost(world, payment, payer);
}

/** Whoever pays a hash that another one pays too may pay whoever has learnt the preimage; to somebody it was paid, and for it. */
function checkShared(world: World, payment: Payment): void {
  const { paymentHash } = payment;
  const kind = checkEnded(world, payment);
  const isReceived = world.sides.some((side) => receivedBy(side, paymentHash) !== undefined);
  if (kind === 'succeeded' && !isReceived)
    world.complain(payment.from, `${nameOf(payment)} succeeded, and nobody has received it`);
}

/** What became of a payment for its payer, in memory and on disk. */
function checkEnded(world: World, payment: Payment): 'succeeded' | 'failed' | 'lost' | undefined {
  const { paymentHash, from } = payment;
  const payer = world.side(from);
  const kind = outboundOf(payer, paymentHash)?.state.kind;
  // What is in a commitment that was signed is decided in the chain, once its channel is closed alone.
  if (kind === 'pending' && isSigned(payer, paymentHash)) return 'lost';
  if (kind === 'pending') world.complain(from, `${nameOf(payment)} is pending for ever`);
  if (payer.view.outbound.get(paymentHash)?.state.kind !== kind)
    world.complain(from, `${nameOf(payment)} is not durable as it is`);
  return kind === 'pending' || (kind === 'failed' && isLost(world, paymentHash)) ? 'lost' : kind;
}

/** What left for good is the amount with the fees that the payment's record names. */
function checkCost(world: World, payment: Payment, payer: Side): void {
  const state = outboundOf(payer, payment.paymentHash)?.state;
  if (state?.kind !== 'succeeded') return;
  const own = world.htlcs.all().filter(({ from, previous }) => from === payer && previous === undefined);
  const paidMsat = own
    .filter((htlc) => htlc.paymentHash === payment.paymentHash && world.htlcs.isTaken(htlc))
    .reduce((sum, { amountMsat }) => sum + amountMsat, 0n);
  const toldMsat = payment.amountMsat + state.feeMsat;
  if (paidMsat !== toldMsat && !isLost(world, payment.paymentHash))
    world.complain(payment.from, `${nameOf(payment)} has cost ${paidMsat} msat, not ${toldMsat}`);
}

const nameOf = ({ amountMsat, from }: Payment): string => `the payment of ${amountMsat} msat from ${from}`;

const isLost = ({ sides }: World, paymentHash: string): boolean =>
  sides.some(({ view }) => [...view.monitors.values()].some((monitor) => isLostIn(monitor, paymentHash)));

const isSigned = ({ view }: Side, paymentHash: string): boolean =>
  [...view.monitors.values()].some(
    ({ closed, holderCommitment, counterpartyCommitments }) =>
      closed !== 'no' &&
      [holderCommitment, ...counterpartyCommitments].some(({ spec }) =>
        spec.htlcs.some((htlc) => toHex(htlc.paymentHash) === paymentHash),
      ),
  );
