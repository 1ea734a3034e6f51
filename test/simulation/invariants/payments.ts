import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import { isTrimmed } from '../../../worker/engine/transactions/commitment-fees.ts';
import { liveCommitments } from '../oracle.ts';
import { outboundOf, receivedBy } from '../settlement.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

type Payment = World['payments'][number];

/** Every payment between honest sides has one outcome, the same for both. */
export function checkPayments(world: World): void {
  for (const payment of world.payments)
    if (!world.isWrong(world.side(payment.from)) && !world.isWrong(world.side(payment.to)))
      checkPayment(world, payment);
}

function checkPayment(world: World, { paymentHash, amountMsat, from, to }: Payment): void {
  const [payer, payee] = [world.side(from), world.side(to)];
  const sent = outboundOf(payer, paymentHash);
  const received = receivedBy(payee, paymentHash);
  const name = `the payment of ${amountMsat} msat from ${from}`;
  const kind = sent?.state.kind;
  // What is in a commitment that was signed is decided in the chain, once its channel is closed alone.
  if (kind === 'pending' && isSigned(payer, paymentHash)) return;
  if (kind === 'pending') world.complain(from, `${name} is pending for ever`);
  // Without an output in the commitment that closed the channel nothing in the chain can tell whether it was taken, and an output
  // that costs more than it brings nobody takes.
  if (kind === 'failed' && isLeftInClose(payer, paymentHash)) return;
  if ((kind === 'succeeded') !== (received !== undefined))
    world.complain(from, `${name} ${kind ?? 'is unknown'}, received: ${received !== undefined}`);
  if (received !== undefined && received.amountMsat !== amountMsat)
    world.complain(to, `${name} came as ${received.amountMsat}`);
  if (payer.view.outbound.get(paymentHash)?.state.kind !== kind)
    world.complain(from, `${name} is not durable as it is`);
}

/** Twice what an HTLC transaction costs in a calm hour. */
const WORTH_TAKING_MSAT = 3_000_000n;

const isLeftInClose = ({ view }: Side, paymentHash: string): boolean =>
  [...view.monitors.values()].some((monitor) => {
    if (monitor.confirmedSpend === undefined) return false;
    const { params } = monitor;
    return liveCommitments(monitor).some(({ owner, spec }) =>
      spec.htlcs.some(
        (htlc) =>
          toHex(htlc.paymentHash) === paymentHash &&
          (htlc.amountMsat < WORTH_TAKING_MSAT ||
            isTrimmed(
              { offered: (htlc.direction === 'outbound') === (owner === 'holder'), amountMsat: htlc.amountMsat },
              params.format,
              spec.feeratePerKw,
              params[owner].dustLimitSat,
            )),
      ),
    );
  });

const isSigned = ({ view }: Side, paymentHash: string): boolean =>
  [...view.monitors.values()].some(
    ({ closed, holderCommitment, counterpartyCommitments }) =>
      closed !== 'no' &&
      [holderCommitment, ...counterpartyCommitments].some(({ spec }) =>
        spec.htlcs.some((htlc) => toHex(htlc.paymentHash) === paymentHash),
      ),
  );
