import { expect, it } from 'vitest';
import { ChannelSwitch } from '../../../worker/engine/manager/channel-switch.ts';
import type { ManagerContext } from '../../../worker/engine/manager/manager-context.ts';
import { msat } from '../../../worker/engine/primitives/units.ts';
import { Meeting } from './meeting.ts';

it('a channel whose peer is not connected takes no HTLC', async () => {
  const meeting = await Meeting.begin('wide', 'a');
  const [entry] = meeting.channels;
  const context = {
    parts: { config: meeting.node.config },
    channels: { get: () => entry },
    conditions: { blockHeight: meeting.height },
    chainMonitor: { monitor: () => undefined },
  };
  const channels = new ChannelSwitch(context as unknown as ManagerContext);
  const offer = {
    amountMsat: msat(1_000_000n),
    paymentHash: new Uint8Array(32),
    cltvExpiry: meeting.height + 50,
    onion: new Uint8Array(1366),
  };
  expect(channels.refusal(entry?.key ?? '', offer)).toMatchObject({ message: 'The channel is not usable now.' });
  await meeting.connect();
  expect(channels.refusal(entry?.key ?? '', offer)?.message).not.toBe('The channel is not usable now.');
});
