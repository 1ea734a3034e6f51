import { toHex } from '../../worker/engine/primitives/bytes.ts';
import type { InboundPayment } from '../../worker/engine/payments/inbound-payment.ts';
import type { OutboundPayment } from '../../worker/engine/payments/outbound-payment.ts';
import type { ChannelHtlc } from '../../worker/engine/transactions/channel-htlc.ts';
import type { Side } from './side.ts';
import type { World } from './world.ts';

export const outboundOf = ({ node }: Side, paymentHash: string): OutboundPayment | undefined =>
  node.manager.outboundPayments.all().find((each) => toHex(each.paymentHash) === paymentHash);

export const receivedBy = ({ node }: Side, paymentHash: string): InboundPayment['received'] =>
  node.manager.inboundPayments.all().find((each) => toHex(each.paymentHash) === paymentHash)?.received;

/** The payments that a side has made for good: an honest payee has taken them, one that is not has shown the preimage. */
export function paidBy(world: World, side: Side): ReadonlySet<string> {
  const paid = world.payments.filter(({ from, to, paymentHash }) => {
    if (from !== side.name) return false;
    const payee = world.side(to);
    if (world.isWrong(payee)) return outboundOf(side, paymentHash)?.state.kind === 'succeeded';
    return receivedBy(payee, paymentHash) !== undefined;
  });
  return new Set(paid.map(({ paymentHash }) => paymentHash));
}

/** Whether an HTLC that is in a commitment for good is a side's: it was paid, or its own payment comes back. */
export function isTakenBy(side: Side, paid: ReadonlySet<string>, { direction, paymentHash }: ChannelHtlc): boolean {
  const hash = toHex(paymentHash);
  return direction === 'inbound' ? receivedBy(side, hash) !== undefined : !paid.has(hash);
}
