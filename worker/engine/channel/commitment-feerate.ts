import type { ChannelEnv } from './channel-env.ts';
import { proposeFee } from './channel-operation.ts';
import type { OpenChannel } from './channel-state.ts';
import { pendingFeerate } from './commitments.ts';
import { transition, type Transition } from './transition.ts';

/** Below so many times the target a feerate is raised: each step costs a round of commitments. */
const RAISED_BELOW = 1 / 1.1;
/** From so many times the settled feerate on it is lowered, as LDK does: less saves too little. */
const LOWERED_FROM = 2;

/**
 * As the opener, a higher feerate where the channel's would not be relayed in time (BOLT 2, Updating Fees): before what is
 * pending is signed, for it is needed at once.
 */
export function raiseFeeIfDue(env: ChannelEnv, channel: OpenChannel): Transition<OpenChannel> {
  const { target } = env.feerates.commitment[channel.params.format];
  const current = pendingFeerate(channel.commitments);
  const { refusedFeerate: refused } = env;
  const isRefused = refused !== undefined && refused > current && target >= refused;
  return current < target * RAISED_BELOW && !isRefused ? proposeFee(env, channel, target) : transition(channel);
}

/**
 * As the opener, a lower feerate where the channel's has been far too high for hours. It waits for the next signature: a
 * counterparty that refuses it says so meanwhile, and what was never signed need not be repeated on a new connection.
 */
export function lowerFeeIfDue(env: ChannelEnv, channel: OpenChannel): Transition<OpenChannel> {
  const { target, settled } = env.feerates.commitment[channel.params.format];
  if (settled === undefined) return transition(channel);
  const wanted = settled > target ? settled : target;
  const current = pendingFeerate(channel.commitments);
  const { refusedFeerate: refused } = env;
  const isRefused = refused !== undefined && refused < current && wanted <= refused;
  return current >= wanted * LOWERED_FROM && !isRefused ? proposeFee(env, channel, wanted) : transition(channel);
}
