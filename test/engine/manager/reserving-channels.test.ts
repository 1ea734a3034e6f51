import { expect, it } from 'vitest';
import type { ChannelEntry } from '../../../worker/engine/manager/channel-entry.ts';
import type { ManagerContext } from '../../../worker/engine/manager/manager-context.ts';
import { reservingChannels } from '../../../worker/engine/manager/reserving-channels.ts';
import { PARAMS } from '../monitor/samples.ts';

it('coins are kept for a channel in which an error of ours hides what it needs, and for no others the less', () => {
  const entry = { key: 'closed', state: { kind: 'closed', params: PARAMS, unseenFunding: undefined } };
  const context = {
    channels: {
      all: () => [entry, { key: 'opening', state: { kind: 'awaitingAccept' } }] as unknown as ChannelEntry[],
    },
    chainMonitor: {
      monitor: () => {
        throw new Error('a mistake');
      },
    },
  };
  expect(reservingChannels(context as unknown as Pick<ManagerContext, 'channels' | 'chainMonitor'>)).toBe(1);
});
