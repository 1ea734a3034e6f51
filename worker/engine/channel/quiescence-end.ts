import type { ChannelEnv } from './channel-env.ts';
import { updateMessage } from './channel-operation.ts';
import { inRepeatedOrder, proposeAnew } from './channel-reestablish.ts';
import type { OpenChannel } from './channel-state.ts';
import { withoutUnsignedHolderChanges } from './commitments.ts';
import { transition, type Transition } from './transition.ts';

/**
 * Ends quiescence on its connection, as the protocol that asked for it says (BOLT 2, Channel Quiescence): what was held goes
 * out, but for HTLCs that the counterparty's last updates have left no room for.
 */
export function endQuiescence(env: ChannelEnv, channel: OpenChannel): Transition<OpenChannel> {
  const { params, commitments, quiescence } = channel;
  if (quiescence.kind === 'none') return transition(channel);
  const said = commitments.holderChanges.proposed.length;
  const held = inRepeatedOrder(commitments.holderChanges.held);
  const base = withoutUnsignedHolderChanges(commitments, 'held');
  const { repeated, dropped } = proposeAnew(env, params, base, held);
  const messages = repeated.holderChanges.proposed.slice(said).map((change) => updateMessage(params.channelId, change));
  const facts = dropped.map((htlc) => ({ kind: 'htlcDropped', htlc }) as const);
  return transition({ ...channel, commitments: repeated, quiescence: { kind: 'none' } }, { messages, facts });
}
