import { describe, expect, it } from 'vitest';
import { channelIdOf } from '../../../worker/engine/manager/channel-entry.ts';
import { existing } from './existing.ts';
import { Meeting } from './meeting.ts';

const EVERY_CHANNEL = new Uint8Array(32);

async function connected() {
  const meeting = await Meeting.begin('pair', 'a');
  await meeting.connect();
  const channel = existing(meeting.channels[0]);
  return { meeting, channel, id: channelIdOf(channel) };
}

const kinds = ({ channels }: Meeting): readonly string[] => channels.map(({ state }) => state.kind);

describe('an error that its sender does not close for', () => {
  it.each([
    'internal error',
    'invalid update',
    'invalid commitment',
    'invalid revocation',
    'remote error',
    'sync error',
  ])('begins a new connection upon "%s", over which the channel goes on', async (text) => {
    const { meeting, id } = await connected();
    await meeting.hearSaid('error', text, id);
    expect(meeting.ended).toEqual([`the peer said: ${text}`]);
    expect([kinds(meeting), meeting.node.broadcasts]).toEqual([['open', 'open'], []]);
    await meeting.connect();
    expect(meeting.channels.map(({ connection }) => connection)).toEqual(['connected', 'connected']);
    meeting.node.pay(meeting.peer.invoice(20_000_000n));
    await meeting.flow();
    expect(meeting.node.manager.outboundPayments.all().map(({ state }) => state.kind)).toEqual(['succeeded']);
  });

  it.each(['link failed to shutdown', 'cannot co-op close channel w/ active htlcs'])(
    'goes on upon "%s"',
    async (text) => {
      const { meeting, id } = await connected();
      await meeting.hearSaid('error', text, id);
      expect([meeting.ended, kinds(meeting)]).toEqual([[], ['open', 'open']]);
      expect(meeting.isConnected).toBe(true);
    },
  );

  it('begins a new connection also where it comes instead of channel_reestablish', async () => {
    const { meeting, id } = await connected();
    await meeting.disconnect();
    meeting.withheld = (message) => message.kind === 'channel_reestablish';
    await meeting.connect();
    await meeting.hearSaid('error', 'internal error', id);
    expect([meeting.ended, kinds(meeting)]).toEqual([['the peer said: internal error'], ['open', 'open']]);
  });
});

describe('another error', () => {
  it('ends the channel that it names, and no other', async () => {
    const { meeting, channel, id } = await connected();
    await meeting.hearSaid('error', 'unable to resume channel, recovery required', id);
    expect(channel.state).toMatchObject({ kind: 'closed', reason: { kind: 'counterpartyError' } });
    expect([kinds(meeting), meeting.node.broadcasts.length > 0]).toEqual([['closed', 'open'], true]);
  });

  it('with all zeros ends every channel of the peer', async () => {
    const { meeting } = await connected();
    await meeting.hearSaid('error', 'I give up', EVERY_CHANNEL);
    expect(kinds(meeting)).toEqual(['closed', 'closed']);
  });

  it('before channel_reestablish ends nothing', async () => {
    const { meeting, id } = await connected();
    await meeting.disconnect();
    meeting.withheld = (message) => message.kind === 'channel_reestablish';
    await meeting.connect();
    await meeting.hearSaid('error', 'unknown channel', id);
    expect([kinds(meeting), meeting.node.broadcasts]).toEqual([['open', 'open'], []]);
  });
});

describe('an error about a channel that is being opened', () => {
  it('ends the attempt by its temporary id also after funding_created, and frees the coins', async () => {
    const meeting = await Meeting.begin('empty', 'a');
    await meeting.connect();
    const before = meeting.node.wallet.balance(0n, 0).spendableSat;
    meeting.withheld = ({ kind }) => kind === 'funding_signed';
    meeting.node.open(meeting.peer, 500_000n);
    await meeting.flow();
    const temporaryId = existing(meeting.heard('funding_created')[0]).temporaryChannelId;
    expect(meeting.node.wallet.balance(0n, 0).spendableSat).toBeLessThan(before);
    await meeting.hearSaid('error', 'funding failed due to internal error', temporaryId);
    expect([kinds(meeting), meeting.node.broadcasts]).toEqual([[], []]);
    expect(meeting.node.wallet.balance(0n, 0).spendableSat).toBe(before);
    expect(meeting.node.manager.pendingEvents()).toMatchObject([
      { kind: 'channelOpenFailed', message: 'The peer refused the channel: funding failed due to internal error' },
    ]);
  });
});

describe('a peer that has forgotten a channel whose funding nobody has seen', () => {
  /** The connection is cut before the opener has `funding_signed`. */
  async function forgotten() {
    const meeting = await Meeting.begin('empty', 'b');
    await meeting.connect();
    let cut = false;
    meeting.peer.open(meeting.node, 500_000n, 100_000_000n);
    meeting.withheld = () => cut;
    while (meeting.channels[0]?.state.kind !== 'open') await meeting.step();
    cut = true;
    await meeting.disconnect();
    await meeting.connect();
    return { meeting, channel: existing(meeting.channels[0]) };
  }

  it('ends it for us without a broadcast, and it stays watched', async () => {
    const { meeting, channel } = await forgotten();
    await meeting.hearSaid('error', 'Unknown channel for WIRE_CHANNEL_REESTABLISH', channelIdOf(channel));
    expect(channel.state).toMatchObject({ kind: 'closed', reason: { kind: 'counterpartyError' } });
    expect(meeting.node.broadcasts).toEqual([]);
    expect(meeting.node.manager.chainMonitor.monitor(channel.key)).toMatchObject({ closed: 'wait' });
    await meeting.mine();
    expect(meeting.node.broadcasts).toEqual([]);
  });
});
