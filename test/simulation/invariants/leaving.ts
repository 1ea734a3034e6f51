import { equalBytes, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { allHtlcs } from '../../../worker/engine/channel/commitments.ts';
import { passesOn } from '../../../worker/engine/transactions/htlc-source.ts';
import type { Message, MessageOf } from '../../../worker/engine/wire/message.ts';
import { isFunded } from '../funding.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/** What a message depends on must be durable when it leaves, and an honest peer gets no reproach. */
export function checkLeaving(world: World, side: Side, to: Side, message: Message): void {
  const complain = (problem: string): void => world.complain(side.name, `${message.kind} ${problem}`);
  if (message.kind === 'warning' || message.kind === 'error') {
    const allHonest = world.honest.length === world.sides.length;
    const hasReason = allHonest ? message.kind === 'error' && (world.forced || world.opened) : world.isWrong(to);
    if (!hasReason) complain(`was sent to ${to.name}`);
    return;
  }
  if (!('channelId' in message)) return;
  const key = toHex(message.channelId);
  const monitor = side.view.monitors.get(key);
  // Given up in the same commit, it says no more than that it was there.
  if (monitor === undefined && message.kind === 'channel_reestablish' && side.view.archived.has(key)) return;
  if (monitor === undefined) return complain('left before its channel was durable');
  switch (message.kind) {
    case 'commitment_signed':
      return checkSignature(side, key, message, complain);
    case 'revoke_and_ack':
      return checkRevocation(side, key, message, complain);
    case 'update_add_htlc':
      if (!side.view.outbound.has(toHex(message.paymentHash)) && !hasSource(side, key, message.id))
        complain('left before its payment was durable');
      return;
    case 'update_fulfill_htlc': {
      const hash = toHex(sha256(message.paymentPreimage));
      if (!monitor.preimages.has(hash)) complain('left before its preimage was durable');
      if (side.view.inbound.get(hash)?.received === undefined && !hasGoneOn(side, key, message.id))
        complain('left before the receipt was durable');
      return;
    }
    case 'channel_reestablish':
      if (message.nextCommitmentNumber - 1n > monitor.holderCommitment.number) complain('is ahead of what is durable');
      if (message.nextRevocationNumber > (monitor.counterpartyCommitments[0]?.number ?? 0))
        complain('claims a revocation that is not durable');
      return;
    case 'channel_ready':
      // A close in the same commit takes the record along.
      if (side.view.channels.get(key)?.holderReadySent !== true && !side.view.closed.has(key))
        complain('left before it was durable');
      // It is said again also after the funding has left the chain.
      if (!isFunded(world, monitor.params) && !world.chain.disconnected.has(toHex(monitor.params.fundingTxid)))
        complain('left for a channel whose funding is not in the chain');
      return;
    case 'shutdown':
      if (monitor.shutdownScript.length === 0) complain('left before it was durable');
      return;
    default:
      return;
  }
}

/** Whether it is durable who an outbound HTLC is there for. */
function hasSource(side: Side, key: string, htlcId: bigint): boolean {
  const channel = side.view.channels.get(key);
  const htlcs = channel === undefined ? [] : [...allHtlcs(channel.commitments).values()];
  return htlcs.some(({ direction, id, source }) => direction === 'outbound' && id === htlcId && source !== undefined);
}

/** Whether it is durable that an inbound HTLC was passed on. */
const hasGoneOn = (side: Side, channelKey: string, htlcId: bigint): boolean =>
  [...side.view.monitors.values()].some(({ sources }) =>
    [...sources.values()].some((source) => passesOn(source, { channelKey, htlcId })),
  );

function checkSignature(
  side: Side,
  key: string,
  { signature }: MessageOf<'commitment_signed'>,
  complain: (problem: string) => void,
): void {
  const sent = side.signed.get(key) ?? { newest: 0, signatures: new Set<string>() };
  side.signed.set(key, sent);
  if (sent.signatures.has(toHex(signature))) return;
  sent.signatures.add(toHex(signature));
  sent.newest++;
  const durable = side.view.monitors.get(key)?.counterpartyCommitments.at(-1)?.number ?? -1;
  if (sent.newest > durable) complain(`${sent.newest} left before it was durable (${durable})`);
}

function checkRevocation(
  side: Side,
  key: string,
  { nextPerCommitmentPoint, perCommitmentSecret }: MessageOf<'revoke_and_ack'>,
  complain: (problem: string) => void,
): void {
  const durable = side.view.monitors.get(key)?.holderCommitment.number ?? 0;
  const signer = side.node.manager.channels().find((entry) => entry.key === key)?.signer;
  if (signer === undefined) return;
  const secretPoint = side.secp.publicKey(perCommitmentSecret);
  for (let number = durable; number >= Math.max(1, durable - 1); number--)
    if (
      equalBytes(nextPerCommitmentPoint, signer.perCommitmentPoint(number + 1)) &&
      equalBytes(secretPoint, signer.perCommitmentPoint(number - 1))
    )
      return;
  complain(`gives up what ${durable}, the newest that is durable, does not replace`);
}
