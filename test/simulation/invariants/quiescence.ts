import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { OpenChannel } from '../../../worker/engine/channel/channel-state.ts';
import { hasPendingHolderChanges } from '../../../worker/engine/channel/commitments.ts';
import type { Message, MessageKind } from '../../../worker/engine/wire/message.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/** What changes a channel, and what begins its end. */
const HELD_BACK: readonly MessageKind[] = [
  'update_add_htlc',
  'update_fulfill_htlc',
  'update_fail_htlc',
  'update_fail_malformed_htlc',
  'update_fee',
  'shutdown',
];

/**
 * Nobody says `stfu` twice on a connection, or with an update of its own pending, and nobody changes a channel after it, unless
 * the other side closes it.
 */
export function checkQuiescence(world: World, side: Side, connectionId: number, message: Message): void {
  if (!('channelId' in message)) return;
  const key = toHex(message.channelId);
  const connection = `${side.name} ${key} ${connectionId}`;
  const hasSaid = world.stfus.has(connection);
  const channel = openChannel(side, key);
  const complain = (problem: string): void => world.complain(side.name, `${message.kind} ${problem}`);
  if (message.kind === 'stfu') {
    if (hasSaid) complain('was said twice');
    if (isQuiescing(channel) && hasPendingHolderChanges(channel.commitments)) complain('came before its updates');
    world.stfus.add(connection);
  } else if (hasSaid && HELD_BACK.includes(message.kind) && channel !== undefined && channel.shutdown.kind !== 'both')
    complain('was said after stfu');
}

/** A `shutdown` that came while the `stfu` was written has ended it. */
const isQuiescing = (channel: OpenChannel | undefined): channel is OpenChannel =>
  channel !== undefined && channel.quiescence.kind !== 'none';

function openChannel(side: Side, key: string): OpenChannel | undefined {
  const state = side.node.manager.channels().find((entry) => entry.key === key)?.state;
  return state?.kind === 'open' ? state : undefined;
}
