import type { InboundPayment } from '../engine/payments/inbound-payment.ts';
import type { OutboundPayment } from '../engine/payments/outbound-payment.ts';
import { storedInvoice } from '../engine/payments/bolt11.ts';
import { toHex } from '../engine/primitives/bytes.ts';
import type { Activity } from './api.ts';
import type { OnchainSend } from './onchain-send.ts';
import { problemOf } from './send-problems.ts';
import type { LightningNode } from './lightning-node.ts';
import type { NotedRow, OnchainReceived } from './wallet-records.ts';

/** Payments in and out, open invoices, on-chain payments that came or went, and what channels cost, newest first. */
export function activityOf(node: LightningNode, now: number, limit: number): readonly Activity[] {
  const { inboundPayments, outboundPayments } = node.manager;
  const sent = outboundPayments.all().toSorted((a, b) => b.createdAt - a.createdAt);
  const ofChannels = node.rows.ofChannels();
  const moved = new Set(ofChannels.map(({ id }) => id));
  const labels = node.rows.labels.ofTransactions(node.wallet, node.network);
  const invoices = inboundPayments.all().toSorted((a, b) => timeOf(b) - timeOf(a));
  return (
    [
      ...sent.slice(0, limit).map((payment) => sentActivity(node, payment)),
      ...invoices.slice(0, limit).map((payment) => receivedActivity(payment, now)),
      ...ofChannels.map(channelActivity),
      // What a channel gives back did not come from outside.
      ...node.rows.received
        .list()
        .filter(({ txid }) => !moved.has(txid))
        .map((payment) => onchainReceivedActivity(payment, labels.get(payment.txid))),
      ...node.rows.sent.list().map((send) => onchainSentActivity(node, send)),
    ]
      // Of the same moment in an order of their own, which a restart does not change.
      .toSorted((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1))
      .slice(0, limit)
  );
}

function sentActivity(
  node: LightningNode,
  { paymentHash, amountMsat, createdAt, state, invoiceText }: OutboundPayment,
): Activity {
  const description = storedInvoice(node.secp, invoiceText)?.description;
  const common = {
    id: toHex(paymentHash),
    kind: 'sent',
    amountMsat,
    feeMsat: 0n,
    description: description?.kind === 'text' ? description.text : '',
    at: createdAt,
  } as const;
  switch (state.kind) {
    case 'pending':
      return { ...common, state: 'pending' };
    case 'succeeded':
      return { ...common, state: 'succeeded', feeMsat: state.feeMsat };
    case 'failed':
      return { ...common, state: 'failed', problem: { ...state.failure, details: {} } };
    default:
      return state satisfies never;
  }
}

function receivedActivity(payment: InboundPayment, now: number): Activity {
  const { received, expiresAt, description } = payment;
  const common = { id: toHex(payment.paymentHash), feeMsat: 0n, description, at: timeOf(payment) };
  if (received !== undefined)
    return { ...common, kind: 'received', state: 'succeeded', amountMsat: received.amountMsat };
  const state = now > expiresAt ? 'expired' : 'open';
  return { ...common, kind: 'invoice', state, amountMsat: payment.amountMsat ?? 0n };
}

/** What is given or gained with a channel is so at once: a payment that is pending would still be ours. */
function channelActivity({ height, ...row }: NotedRow): Activity {
  const isPayment = row.kind === 'sent' || row.kind === 'received';
  return { ...row, state: height === undefined && !isPayment ? 'pending' : 'succeeded' };
}

const onchainReceivedActivity = (
  { txid, amountSat, seenAt, block }: OnchainReceived,
  label: string | undefined,
): Activity => ({
  ...(label === undefined ? {} : { label }),
  id: txid,
  kind: 'onchainReceived',
  state: block === undefined ? 'pending' : 'succeeded',
  amountMsat: amountSat * 1000n,
  feeMsat: 0n,
  description: '',
  at: block?.at ?? seenAt,
});

function stateOf({ fate }: OnchainSend): Activity['state'] {
  switch (fate.kind) {
    case 'waiting':
      return 'pending';
    case 'confirmed':
      return 'succeeded';
    case 'refused':
    case 'displaced':
      return 'failed';
    case 'replaced':
      return 'replaced';
    default:
      return fate satisfies never;
  }
}

/** Of what is not sent, or another payment has taken the place of, no fee is gone. */
function onchainSentActivity({ chain }: LightningNode, send: OnchainSend): Activity {
  const { txid, amountSat, feeSat, at, address, label } = send;
  const problem = problemOf(send, chain.standing(txid));
  const state = stateOf(send);
  return {
    ...(label === undefined ? {} : { label }),
    id: txid,
    kind: 'onchainSent',
    state,
    amountMsat: amountSat * 1000n,
    feeMsat: state === 'failed' || state === 'replaced' ? 0n : feeSat * 1000n,
    description: address,
    at,
    ...(problem === undefined ? {} : { problem: { ...problem, details: {} } }),
  };
}

const timeOf = ({ received, createdAt }: InboundPayment): number => received?.at ?? createdAt;
