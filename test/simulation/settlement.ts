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

/** What a side has paid and received, as far as everybody is honest: by the HTLCs that were taken. In millisatoshi. */
export function takenMsat({ htlcs }: World, side: Side): { readonly paid: bigint; readonly received: bigint } {
  const taken = htlcs.all().filter((htlc) => htlcs.isTaken(htlc));
  const sumOf = (which: 'from' | 'to'): bigint =>
    taken.filter((htlc) => htlc[which] === side).reduce((sum, { amountMsat }) => sum + amountMsat, 0n);
  return { paid: sumOf('from'), received: sumOf('to') };
}

/** What a side has paid and received at the most and at the least, where somebody is not honest. */
export function agreedMsat(world: World, side: Side): { readonly paid: bigint; readonly received: bigint } {
  const sent = paidBy(world, side);
  const paid = world.payments.filter(({ from, paymentHash }) => from === side.name && sent.has(paymentHash));
  const received = world.payments.filter(({ to }) => to === side.name);
  return {
    paid: paid.reduce((sum, { amountMsat }) => sum + amountMsat, 0n),
    received: received.reduce((sum, { paymentHash }) => sum + (receivedBy(side, paymentHash)?.amountMsat ?? 0n), 0n),
  };
}

/** The payments that a side has made for good: an honest payee has taken them, one that is not has shown the preimage. */
function paidBy(world: World, side: Side): ReadonlySet<string> {
  const paid = world.payments.filter(({ from, to, paymentHash }) => {
    if (from !== side.name) return false;
    const payee = world.side(to);
    if (world.isWrong(payee)) return outboundOf(side, paymentHash)?.state.kind === 'succeeded';
    return receivedBy(payee, paymentHash) !== undefined;
  });
  return new Set(paid.map(({ paymentHash }) => paymentHash));
}

/** Whether an HTLC that is in a commitment for good is a side's: its monitor can take it, or the other side cannot. */
export function isTakenBy(world: World, side: Side, channelKey: string, peer: Side, htlc: ChannelHtlc): boolean {
  const hash = toHex(htlc.paymentHash);
  const isKnownTo = ({ view }: Side): boolean => view.monitors.get(channelKey)?.preimages.has(hash) === true;
  if (htlc.direction === 'inbound') return isKnownTo(side);
  return world.isWrong(peer) ? !paidBy(world, side).has(hash) : !isKnownTo(peer);
}
