import { takesCoins } from '../monitor/claims/claim-transaction.ts';
import { isUnfunded, type ChannelEntry } from './channel-entry.ts';
import type { ManagerContext } from './manager-context.ts';

type Context = Pick<ManagerContext, 'channels' | 'chainMonitor'>;

/**
 * For how many channels the on-chain wallet keeps coins: the open ones, and the closed ones for as long as coins may have to pay
 * for what takes our money out of them. One that a peer only speaks of costs nothing.
 */
export const reservingChannels = (context: Context): number =>
  context.channels.all().filter((entry) => mayReserve(context, entry)).length;

/** An error of ours in one channel stops no payment: coins are kept for it all the same. */
function mayReserve(context: Context, entry: ChannelEntry): boolean {
  try {
    return isReserving(context, entry);
  } catch {
    return true;
  }
}

function isReserving({ chainMonitor }: Context, { key, state }: ChannelEntry): boolean {
  if (state.kind === 'open') return !isUnfunded(state);
  if (state.kind !== 'closed' || state.unseenFunding !== undefined) return false;
  const monitor = chainMonitor.monitor(key);
  if (monitor === undefined || monitor.params.format !== 'anchors') return false;
  return monitor.confirmedSpend === undefined
    ? monitor.closed === 'broadcast'
    : chainMonitor.claims(key).some((claim) => takesCoins([claim]));
}
