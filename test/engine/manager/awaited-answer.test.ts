import { describe, expect, it } from 'vitest';
import type { StartName } from '../../simulation/starts.ts';
import type { MessageKind } from '../../../worker/engine/wire/message.ts';
import { existing } from './existing.ts';
import { Meeting } from './meeting.ts';

/** A node whose peer falls silent instead of saying a message of a kind. */
async function without(kind: MessageKind, start: StartName = 'wide', name: 'a' | 'b' = 'a'): Promise<Meeting> {
  const meeting = await Meeting.begin(start, name);
  let isSilent = false;
  meeting.withheld = (message) => (isSilent ||= message.kind === kind);
  await meeting.connect();
  return meeting;
}

const failures = (meeting: Meeting): readonly string[] =>
  meeting.node.manager.pendingEvents().flatMap(({ kind, message }) => (kind === 'channelOpenFailed' ? [message] : []));

describe('a peer that owes an answer', () => {
  it('is met anew when revoke_and_ack does not come, and the payment goes on', async () => {
    const meeting = await without('revoke_and_ack');
    meeting.node.pay(meeting.peer.invoice(20_000_000n));
    await meeting.flow();
    await meeting.pass(60);
    expect(meeting.ended).toEqual([]);
    await meeting.pass(1);
    expect(meeting.ended).toEqual(['no revoke_and_ack within 60 seconds']);
    expect(meeting.heard('warning')).toHaveLength(1);
    meeting.withheld = () => false;
    await meeting.connect();
    expect(meeting.node.manager.outboundPayments.all().map(({ state }) => state.kind)).toEqual(['succeeded']);
  });

  it('is met anew when it does not sign what it has accepted', async () => {
    const meeting = await without('commitment_signed');
    meeting.node.pay(meeting.peer.invoice(20_000_000n));
    await meeting.flow();
    await meeting.pass(61);
    expect(meeting.ended).toEqual(['no commitment_signed within 60 seconds']);
  });

  it('is met anew when channel_reestablish does not come', async () => {
    const meeting = await without('channel_reestablish');
    await meeting.pass(61);
    expect(meeting.ended).toEqual(['no channel_reestablish within 60 seconds']);
  });

  it.each(['a', 'b'] as const)('is met anew when %s waits for closing_signed', async (name) => {
    const meeting = await without('closing_signed', 'wide', name);
    meeting.node.turn(() => meeting.node.manager.closeChannel(existing(meeting.channels[0]).key));
    await meeting.flow();
    await meeting.pass(61);
    expect(meeting.ended).toEqual(['no closing_signed within 60 seconds']);
  });

  it('closes after all when the opener says closing_signed on the next connection', async () => {
    const meeting = await without('closing_signed', 'wide', 'b');
    meeting.node.turn(() => meeting.node.manager.closeChannel(existing(meeting.channels[0]).key));
    await meeting.flow();
    await meeting.pass(61);
    meeting.withheld = () => false;
    await meeting.connect();
    expect(meeting.channels[0]?.state).toMatchObject({ kind: 'closed', reason: { kind: 'cooperative' } });
  });

  it('is met anew when it does not answer shutdown', async () => {
    const meeting = await without('shutdown');
    meeting.node.turn(() => meeting.node.manager.closeChannel(existing(meeting.channels[0]).key));
    await meeting.flow();
    await meeting.pass(61);
    expect(meeting.ended).toEqual(['no shutdown within 60 seconds']);
  });

  it('is left alone while it answers', async () => {
    const meeting = await without('error');
    for (let payment = 0; payment < 3; payment++) {
      meeting.node.pay(meeting.peer.invoice(20_000_000n));
      await meeting.flow();
      await meeting.pass(45);
    }
    expect([meeting.ended, meeting.isConnected]).toEqual([[], true]);
  });

  it('is not blamed for the time that we slept', async () => {
    const meeting = await without('revoke_and_ack');
    meeting.node.pay(meeting.peer.invoice(20_000_000n));
    await meeting.flow();
    await meeting.sleep(8 * 3600);
    expect(meeting.ended).toEqual([]);
  });

  it('costs its other channels nothing for long: the channel is set apart', async () => {
    const meeting = await Meeting.begin('pair', 'a');
    const [silent, other] = meeting.channels;
    meeting.withheld = (message) =>
      message.kind === 'channel_reestablish' && Buffer.from(message.channelId).toString('hex') === silent?.key;
    for (let time = 0; time < 3; time++) {
      await meeting.connect();
      await meeting.pass(61);
    }
    await meeting.connect();
    await meeting.pass(120);
    expect([meeting.isConnected, other?.connection]).toEqual([true, 'connected']);
  });
});

describe('a peer that says channel_reestablish only once a channel is confirmed', () => {
  it('is waited for', async () => {
    const meeting = await Meeting.begin('empty', 'a');
    await meeting.connect();
    meeting.node.open(meeting.peer, 500_000n);
    await meeting.flow();
    await meeting.disconnect();
    meeting.withheld = ({ kind }) => kind === 'channel_reestablish';
    await meeting.connect();
    await meeting.pass(130);
    expect([meeting.ended, meeting.isConnected]).toEqual([[], true]);
  });
});

describe('an opening that the peer does not answer', () => {
  it.each(['accept_channel', 'funding_signed'] as const)(
    'without %s is given up, and its coins are free again',
    async (kind) => {
      const meeting = await without(kind, 'empty');
      const before = meeting.node.wallet.balance(0n, 0).spendableSat;
      meeting.node.open(meeting.peer, 500_000n);
      await meeting.flow();
      await meeting.pass(120);
      expect(meeting.channels).toHaveLength(1);
      await meeting.pass(1);
      expect([meeting.channels, meeting.node.broadcasts]).toEqual([[], []]);
      expect(failures(meeting)).toEqual([`The channel could not be opened: no ${kind} within 120 seconds.`]);
      expect(meeting.node.wallet.balance(0n, 0).spendableSat).toBe(before);
      expect(meeting.heard('error')).toHaveLength(1);
      expect(meeting.isConnected).toBe(true);
    },
  );

  it('as the fundee makes room for another', async () => {
    const meeting = await without('funding_created', 'empty', 'b');
    for (let opening = 0; opening < 4; opening++) meeting.peer.open(meeting.node, 100_000n);
    await meeting.flow();
    expect(meeting.channels).toHaveLength(4);
    await meeting.pass(601);
    expect(meeting.channels).toEqual([]);
    expect(meeting.heard('error')).toHaveLength(4);
  });
});
