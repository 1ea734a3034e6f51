import { describe, expect, it } from 'vitest';
import { channelIdOf, type ChannelEntry } from '../../../worker/engine/manager/channel-entry.ts';
import type { Message } from '../../../worker/engine/wire/message.ts';
import { existing } from './existing.ts';
import { Meeting } from './meeting.ts';

const connections = ({ channels }: Meeting): readonly string[] => channels.map(({ connection }) => connection);

/** Two channels, of which the peer has forgotten the first: it says so upon `channel_reestablish`, and leaves. */
async function oneForgotten() {
  const meeting = await Meeting.begin('pair', 'a');
  const sick = existing(meeting.channels[0]);
  const id = channelIdOf(sick);
  const meet = async (kind: 'error' | 'warning' = 'error'): Promise<void> => {
    meeting.withheld = isReestablishOf(sick);
    await meeting.connect();
    await meeting.hearSaid(kind, 'Unknown channel', id);
  };
  const meetAndLose = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      await meet();
      await meeting.disconnect();
    }
  };
  return { meeting, sick, id, meet, meetAndLose };
}

const isReestablishOf =
  ({ key }: ChannelEntry) =>
  (message: Message): boolean =>
    message.kind === 'channel_reestablish' && Buffer.from(message.channelId).toString('hex') === key;

const reestablished = (meeting: Meeting): number => meeting.heard('channel_reestablish').length;

describe('a channel that ends every connection', () => {
  it('is set apart after three, and the others of its peer go on', async () => {
    const { meeting, sick, meetAndLose } = await oneForgotten();
    await meetAndLose(3);
    expect(reestablished(meeting)).toBe(6);
    await meeting.connect();
    expect([reestablished(meeting), connections(meeting)]).toEqual([1, ['disconnected', 'connected']]);
    expect(meeting.channels.map((entry) => meeting.node.manager.isSetApart(entry))).toEqual([true, false]);
    expect(sick.state.kind).toBe('open');
    meeting.node.pay(meeting.peer.invoice(5_000_000n));
    await meeting.flow();
    expect(meeting.node.manager.outboundPayments.all().map(({ state }) => state.kind)).toEqual(['succeeded']);
  });

  it('is set apart for warnings too', async () => {
    const { meeting, meet } = await oneForgotten();
    for (let time = 0; time < 3; time++) {
      await meet('warning');
      await meeting.disconnect();
    }
    await meeting.connect();
    expect(connections(meeting)).toEqual(['disconnected', 'connected']);
  });

  it('is set apart for warnings of ours', async () => {
    const { meeting, id } = await oneForgotten();
    for (let time = 0; time < 3; time++) {
      await meeting.connect();
      await meeting.hear({ kind: 'update_fulfill_htlc', channelId: id, id: 99n, paymentPreimage: id, tlvs: {} });
      expect(meeting.isConnected).toBe(false);
    }
    await meeting.connect();
    expect(connections(meeting)).toEqual(['disconnected', 'connected']);
  });

  it('is not, when the peer leaves long after it spoke', async () => {
    const { meeting, meet } = await oneForgotten();
    for (let time = 0; time < 5; time++) {
      await meet();
      await meeting.sleep(40);
      await meeting.disconnect();
    }
    meeting.withheld = () => false;
    await meeting.connect();
    expect(connections(meeting)).toEqual(['connected', 'connected']);
  });

  it('is not, when it worked in between', async () => {
    const { meeting, meetAndLose } = await oneForgotten();
    for (let time = 0; time < 3; time++) {
      await meetAndLose(2);
      meeting.withheld = () => false;
      await meeting.connect();
      expect(connections(meeting)).toEqual(['connected', 'connected']);
      await meeting.disconnect();
    }
  });

  it('is tried once with each new block, on the connection that there is', async () => {
    const { meeting, meet, meetAndLose } = await oneForgotten();
    await meetAndLose(3);
    await meeting.connect();
    reestablished(meeting);
    await meeting.mine();
    expect([reestablished(meeting), connections(meeting)]).toEqual([1, ['reestablishing', 'connected']]);
    await meetAndLose(1);
    reestablished(meeting);
    await meet();
    expect(reestablished(meeting)).toBe(1);
  });

  it('goes on with the block when the peer has re-established it meanwhile', async () => {
    const { meeting, meetAndLose } = await oneForgotten();
    await meetAndLose(3);
    meeting.withheld = () => false;
    await meeting.connect();
    expect(connections(meeting)).toEqual(['disconnected', 'connected']);
    await meeting.mine();
    expect(connections(meeting)).toEqual(['connected', 'connected']);
  });

  it('is tried at once when its owner wants the peer', async () => {
    const { meeting, meetAndLose } = await oneForgotten();
    await meetAndLose(3);
    meeting.withheld = () => false;
    await meeting.connect();
    meeting.node.turn(() => meeting.node.manager.retryChannels(meeting.peer.nodeId));
    await meeting.flow();
    expect(connections(meeting)).toEqual(['connected', 'connected']);
  });

  it('has all its tries again when its owner wants the peer', async () => {
    const { meeting, meet, meetAndLose } = await oneForgotten();
    await meetAndLose(3);
    meeting.node.turn(() => meeting.node.manager.retryChannels(meeting.peer.nodeId));
    await meetAndLose(2);
    reestablished(meeting);
    await meet();
    expect(reestablished(meeting)).toBe(2);
  });
});

describe('an error about all channels', () => {
  it('sets none of them apart', async () => {
    const { meeting } = await oneForgotten();
    for (let time = 0; time < 4; time++) {
      meeting.withheld = ({ kind }) => kind === 'channel_reestablish';
      await meeting.connect();
      await meeting.hearSaid('error', 'going down', new Uint8Array(32));
      await meeting.disconnect();
    }
    meeting.withheld = () => false;
    await meeting.connect();
    expect(connections(meeting)).toEqual(['connected', 'connected']);
  });
});
