import { latestCounterpartyCommit, nextHolderSpec } from '../../worker/engine/channel/commitments.ts';
import type { OpenChannel } from '../../worker/engine/channel/channel-state.ts';
import { commitmentInput } from '../../worker/engine/keys/commitment-inputs.ts';
import type { ChannelSigner } from '../../worker/engine/keys/channel-signer.ts';
import { onionTerms, partOnion } from '../../worker/engine/payments/outbound-payment.ts';
import { decodeInvoice } from '../../worker/engine/payments/bolt11.ts';
import { onionKey, onionStream, xorInto } from '../../worker/engine/onion/onion-keys.ts';
import { concat } from '../../worker/engine/primitives/bytes.ts';
import { hmacSha256 } from '../../worker/engine/primitives/hash.ts';
import { msat } from '../../worker/engine/primitives/units.ts';
import { buildCommitment, commitmentSighash } from '../../worker/engine/transactions/commitment.ts';
import type { CommitmentSpec } from '../../worker/engine/transactions/commitment-spec.ts';
import {
  htlcSighash,
  htlcTransaction,
  otherHtlcSighashType,
} from '../../worker/engine/transactions/htlc-transaction.ts';
import { transactionId } from '../../worker/engine/transactions/transaction.ts';
import type { MessageOf } from '../../worker/engine/wire/message.ts';
import { fakeSecp256k1 as secp } from '../simulation/fake-secp256k1.ts';
import type { Arena } from './arena.ts';

/**
 * Messages with signatures and secrets that are valid for whatever a test makes of them. On the curve of the simulations a
 * point is its own secret, so all of it follows from what the victim has.
 */

/** The victim's newest channel with the attacker, which is open. */
export function openChannelOf(world: Arena): OpenChannel {
  const { state } = world.channel;
  if (state.kind !== 'open') throw new Error(`the channel is ${state.kind}`);
  return state;
}

const secretOf = (point: Uint8Array): Uint8Array => point.subarray(1);

/** A `commitment_signed` for the victim's next commitment, or for a change of it. */
export function commitmentSigned(
  world: Arena,
  change: (spec: CommitmentSpec) => CommitmentSpec = (spec) => spec,
): MessageOf<'commitment_signed'> {
  const { signer } = world.channel;
  const { commitments, params } = openChannelOf(world);
  const number = commitments.holderCommit.number + 1;
  const spec = change(nextHolderSpec(commitments));
  const version = { owner: 'holder', number, spec, perCommitmentPoint: signer.perCommitmentPoint(number) } as const;
  const input = commitmentInput(secp, signer, params, version);
  const commitment = buildCommitment(input);
  const txid = transactionId(commitment.tx);
  const sighashType = otherHtlcSighashType(params.format);
  return {
    kind: 'commitment_signed',
    channelId: params.channelId,
    signature: secp.sign(commitmentSighash(commitment, params.fundingSat), secretOf(params.counterparty.fundingPubkey)),
    htlcSignature: commitment.htlcs.map((htlc) =>
      secp.sign(
        htlcSighash(htlcTransaction(input, txid, htlc), htlc, sighashType),
        secretOf(input.keys.otherHtlcPubkey),
      ),
    ),
    tlvs: {},
  };
}

/** The `revoke_and_ack` that the victim waits for. */
export function revokeAndAck(world: Arena, signer: ChannelSigner = attackerSigner(world)): MessageOf<'revoke_and_ack'> {
  const { commitments, params } = openChannelOf(world);
  const { number, perCommitmentPoint } = commitments.counterpartyCommit;
  return {
    kind: 'revoke_and_ack',
    channelId: params.channelId,
    perCommitmentSecret: secretOf(perCommitmentPoint),
    nextPerCommitmentPoint: signer.perCommitmentPoint(number + 2),
    tlvs: {},
  };
}

/** The `channel_reestablish` of a peer that has lost nothing, or the newest `lost` messages of each kind. */
export function reestablish(world: Arena, lost: number = 0): MessageOf<'channel_reestablish'> {
  const { signer } = world.channel;
  const { commitments, params } = openChannelOf(world);
  const number = commitments.holderCommit.number - lost;
  const newest = latestCounterpartyCommit(commitments);
  return {
    kind: 'channel_reestablish',
    channelId: params.channelId,
    nextCommitmentNumber: BigInt(newest.number + 1 - lost),
    nextRevocationNumber: BigInt(number),
    yourLastPerCommitmentSecret: number === 0 ? new Uint8Array(32) : secretOf(signer.perCommitmentPoint(number - 1)),
    myCurrentPerCommitmentPoint: newest.perCommitmentPoint,
    tlvs: {},
  };
}

/** Of every onion here. */
const SESSION_KEY = new Uint8Array(32).fill(5);

/** What the victim, as the payee of such an onion, shares with its sender. */
export const payeeSecret = ({ victim }: Arena): Uint8Array => secp.ecdh(SESSION_KEY, victim.node.keys.nodeId);

/** An onion for the victim whose decrypted bytes begin as the test says, whatever they mean. */
export function rawOnion(world: Arena, paymentHash: Uint8Array, content: Uint8Array): Uint8Array {
  const secret = payeeSecret(world);
  const payloads = concat(content, new Uint8Array(1_300 - content.length));
  xorInto(payloads, onionStream(onionKey('rho', secret), payloads.length));
  const hmac = hmacSha256(onionKey('mu', secret), concat(payloads, paymentHash));
  return concat(Uint8Array.of(0), secp.publicKey(SESSION_KEY), payloads, hmac);
}

/** An HTLC with the onion of a real payment to the victim, for an invoice of its. */
export function addFor(
  world: Arena,
  invoiceText: string,
  terms: {
    readonly amountMsat?: bigint;
    readonly totalMsat?: bigint;
    readonly cltvExpiry?: number;
    readonly id?: bigint;
    readonly channel?: OpenChannel;
  } = {},
): MessageOf<'update_add_htlc'> {
  const { commitments, params } = terms.channel ?? openChannelOf(world);
  const invoice = decodeInvoice(secp, invoiceText);
  const amountMsat = terms.amountMsat ?? invoice.amountMsat ?? 0n;
  const cltvExpiry = terms.cltvExpiry ?? world.chain.height + invoice.minFinalCltvExpiryDelta + 3;
  const hop = { nodeId: world.victim.node.keys.nodeId, shortChannelId: 0n, amountMsat: msat(amountMsat), cltvExpiry };
  const total = msat(terms.totalMsat ?? invoice.amountMsat ?? amountMsat);
  const { packet } = partOnion(secp, onionTerms(invoice, total), {
    sessionKey: SESSION_KEY,
    hops: [hop],
  });
  return {
    kind: 'update_add_htlc',
    channelId: params.channelId,
    id: terms.id ?? commitments.nextCounterpartyHtlcId,
    amountMsat,
    paymentHash: invoice.paymentHash,
    cltvExpiry,
    onionRoutingPacket: packet,
    tlvs: {},
  };
}

/** Answers and signs whatever is due, as an honest peer without an engine, until nothing is. */
export async function dance(world: Arena, signer?: ChannelSigner): Promise<void> {
  for (let step = 0; step < 20; step++) {
    const { state } = world.channel;
    if (state.kind !== 'open') return;
    const { counterpartyNext, holderChanges, counterpartyChanges } = state.commitments;
    if (counterpartyNext.kind === 'awaitingRevocation') await world.say(revokeAndAck(world, signer));
    else if (holderChanges.acked.length + counterpartyChanges.proposed.length > 0)
      await world.say(commitmentSigned(world));
    else return;
  }
  throw new Error('the dance does not end');
}

/** What the attacker's engine signs the channel with. */
export function attackerSigner(world: Arena): ChannelSigner {
  const { key } = world.channel;
  const found = world.attacker.node.manager.channels().find((entry) => entry.key === key);
  if (found === undefined) throw new Error('the attacker has no such channel');
  return found.signer;
}
