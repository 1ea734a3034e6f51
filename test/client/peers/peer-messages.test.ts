import { describe, expect, it } from 'vitest';
import { localFeatures } from '../../../worker/client/peers/local-features.ts';
import { initMessage } from '../../../worker/client/peers/peer-init.ts';
import {
  COMPLAINT_ALLOWANCE,
  MESSAGE_ALLOWANCE,
  PING_ALLOWANCE,
  PING_INTERVAL_MS,
  PONG_TIMEOUT_MS,
} from '../../../worker/client/peers/peer-session.ts';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import type { Message } from '../../../worker/engine/wire/message.ts';
import { chainHash, peerId, type FakeTransport } from './fake-peer.ts';
import { channelId, channelReady, connected, ping, pong, said, start, stfu, zeroes } from './fixtures.ts';

const channelUpdate: Message = {
  kind: 'channel_update',
  signature: zeroes(64),
  chainHash,
  shortChannelId: 1n,
  timestamp: 1,
  messageFlags: 1,
  channelFlags: 0,
  cltvExpiryDelta: 40,
  htlcMinimumMsat: 1n,
  feeBaseMsat: 1,
  feeProportionalMillionths: 1,
  htlcMaximumMsat: 1n,
  tlvs: {},
};

describe('messages', () => {
  it('hands on a chunk in one go and in order, without what has no use', () => {
    const { transport, heard } = connected();
    const gossip = Uint8Array.of(1, 0, 0xff);
    transport.latest.saySealed(gossip, Uint8Array.of(0xff, 0xff, 1), Uint8Array.of(1, 5), Uint8Array.of(1, 9));
    transport.latest.say(stfu, pong, channelReady);
    expect(heard).toEqual(['connected 1', 'stfu 1', 'channel_ready 1']);
    expect(transport.latest.isClosed).toBe(false);
  });

  it('hands on channel_update', () => {
    const { transport, heard } = connected();
    transport.latest.say(channelUpdate);
    expect(heard).toEqual(['connected 1', 'channel_update 1']);
  });

  it.each([
    ['an unknown even message', Uint8Array.of(0x80, 0x00)],
    ['a malformed message', Uint8Array.of(0, 36, 1)],
    ['half a type', Uint8Array.of(0)],
  ])('warns of %s and closes', (_name, bytes) => {
    const { transport, peers, heard } = connected();
    transport.latest.saySealed(bytes);
    expect(transport.latest.read()).toMatchObject([{ kind: 'warning', channelId: zeroes(32) }]);
    expect(transport.latest.isClosed).toBe(true);
    expect(heard).toEqual(['connected 1', 'disconnected 1']);
    expect(peers.statuses()).toMatchObject([{ problem: { code: 'PeerMisbehaved' } }]);
  });

  it('hands on nothing behind a message that closed the connection', () => {
    const { transport, heard } = connected();
    transport.latest.say(stfu, initMessage(localFeatures, chainHash), channelReady);
    expect(heard).toEqual(['connected 1', 'stfu 1', 'disconnected 1']);
  });

  it('does not come back to life by what stands behind a refused init', () => {
    const { transport, peers, heard } = start();
    transport.latest.shakeHands();
    const init = initMessage(localFeatures, chainHash);
    transport.latest.say({ ...init, tlvs: { networks: [] } }, init, said('error', 'late'));
    expect(heard).toEqual([]);
    expect(peers.statuses()).toMatchObject([{ state: 'disconnected', problem: { code: 'PeerOtherNetwork' } }]);
  });

  it('refuses a first message that is not init', () => {
    const { transport, peers } = start();
    transport.latest.shakeHands();
    transport.latest.say(stfu);
    expect(peers.statuses()).toMatchObject([{ problem: { code: 'PeerMisbehaved' } }]);
  });

  it('drops a connection whose bytes do not decrypt', () => {
    const { transport, peers, heard } = connected();
    transport.latest.receive(zeroes(18));
    expect(heard).toEqual(['connected 1', 'disconnected 1']);
    expect(peers.statuses()).toMatchObject([{ problem: { code: 'PeerMisbehaved' } }]);
  });

  it.each([
    ['error', zeroes(32), 'PeerError'],
    ['error', channelId, 'PeerError'],
    ['warning', channelId, 'PeerWarning'],
  ] as const)('hands on what is said by %s and shows its text', (kind, about, code) => {
    const { transport, peers, heard } = connected();
    transport.latest.say(said(kind, 'bad fee', about));
    expect(heard).toEqual(['connected 1', `${kind} 1`]);
    expect(peers.statuses()).toMatchObject([{ state: 'connected', problem: { code, details: { text: 'bad fee' } } }]);
  });

  it.each([
    ['a\u001b[2Jb', ''],
    ['caf\u00e9', ''],
    ['x'.repeat(10_000), 'x'.repeat(300)],
  ])('shows of the text %j only what may be shown', (text, shown) => {
    const { transport, peers } = connected();
    transport.latest.say(said('error', text));
    expect(peers.statuses()[0]?.problem?.details).toMatchObject({ text: shown });
  });

  it('sends on the connection that is meant, and drops the rest', () => {
    const { timers, transport, peers } = connected();
    peers.send(peerId, 1, stfu);
    expect(transport.latest.read()).toEqual([stfu]);
    transport.latest.drop();
    peers.send(peerId, 1, stfu);
    timers.advance(2_000);
    transport.latest.greet();
    peers.send(peerId, 1, stfu);
    peers.send(peerId, 2, channelReady);
    peers.send('00', 2, stfu);
    expect(transport.latest.read()).toEqual([channelReady]);
  });

  it('reconnects when a message could not be handled, and hands on nothing behind it', () => {
    const handled: string[] = [];
    const { timers, transport, heard, logged } = connected({
      message: (_nodeId, _id, message) => {
        handled.push(message.kind);
        throw new GlowwormError('InvariantBroken', 'a bug of ours');
      },
    });
    transport.latest.say(stfu, channelReady);
    expect(handled).toEqual(['stfu']);
    expect(heard).toEqual(['connected 1', 'disconnected 1']);
    expect(logged.join()).toContain('InvariantBroken');
    timers.advance(2_000);
    expect(transport.connections).toHaveLength(2);
  });
});

describe('ping and pong', () => {
  it.each([
    [0, [0]],
    [100, [100]],
    [65_531, [65_531]],
    [65_532, []],
    [65_535, []],
  ])('answers a ping for %d bytes with pongs of %j', (asked, lengths) => {
    const { transport } = connected();
    transport.latest.say(ping(asked));
    const pongs = transport.latest.read().map((message) => (message.kind === 'pong' ? message.ignored.length : -1));
    expect(pongs).toEqual(lengths);
  });

  it('pings a peer that is idle, and stays while it answers', () => {
    const { pass, transport, heard } = connected();
    for (let round = 0; round < 3; round++) {
      pass(PING_INTERVAL_MS);
      expect(transport.latest.read().map(({ kind }) => kind)).toEqual(['ping']);
      transport.latest.say(pong);
    }
    expect(heard).toEqual(['connected 1']);
  });

  it('does not ping a peer that talks', () => {
    const { pass, transport } = connected();
    for (let round = 0; round < 4; round++) {
      pass(PING_INTERVAL_MS - 1);
      transport.latest.say(stfu);
    }
    expect(transport.latest.read()).toEqual([]);
  });

  it('drops a peer that does not answer', () => {
    const { pass, transport, peers, heard } = connected();
    pass(PING_INTERVAL_MS + PONG_TIMEOUT_MS - 1);
    expect(heard).toEqual(['connected 1']);
    pass(1);
    expect(heard).toEqual(['connected 1', 'disconnected 1']);
    expect(transport.latest.isClosed).toBe(true);
    expect(peers.statuses()).toMatchObject([{ state: 'disconnected', problem: { code: 'PeerUnreachable' } }]);
  });

  it('asks a quiet peer also after a clock was put back, and not sooner than it would have', () => {
    const { timers, peers, transport, pass } = connected();
    const now = timers.now;
    Object.assign(timers, { now: () => now() - 86_400_000 });
    peers.timerTick();
    pass(PING_INTERVAL_MS - 1);
    expect(transport.latest.read()).toEqual([]);
    pass(1);
    expect(transport.latest.read().map(({ kind }) => kind)).toEqual(['ping']);
  });

  it('gives a peer its time to answer after a sleep', () => {
    const { timers, transport, heard, pass } = connected();
    timers.advance(8 * 3_600_000);
    pass(PONG_TIMEOUT_MS);
    expect([transport.latest.read().map(({ kind }) => kind), heard]).toEqual([['ping'], ['connected 1']]);
    transport.latest.say(pong);
    pass(1_000);
    expect(heard).toEqual(['connected 1']);
  });

  it.each([
    ['channel_update', (transport: FakeTransport) => transport.latest.say(channelUpdate)],
    ['other gossip', (transport: FakeTransport) => transport.latest.saySealed(Uint8Array.of(1, 0, 0xff))],
    ['what we do not know', (transport: FakeTransport) => transport.latest.saySealed(Uint8Array.of(0xff, 0xff, 1))],
  ])('drops a peer that sends %s and does not answer', (_name, say) => {
    const { pass, transport, heard } = connected();
    for (let passed = 0; passed < PING_INTERVAL_MS + PONG_TIMEOUT_MS; passed += 1_000) {
      say(transport);
      pass(1_000);
    }
    expect(heard.at(-1)).toBe('disconnected 1');
  });
});

describe('a flood', () => {
  it('of pings that ask for more than they bring ends the connection, and the pongs do not pile up (S42)', () => {
    const { timers, transport, peers, heard } = connected();
    const flood = Array.from({ length: PING_ALLOWANCE.burst }, () => ping(100));
    transport.latest.say(...flood);
    timers.advance(PING_ALLOWANCE.refillMs);
    transport.latest.say(ping(100));
    expect(heard).toEqual(['connected 1']);
    transport.latest.read();
    transport.latest.say(ping(100), stfu);
    expect(transport.latest.read().map(({ kind }) => kind)).toEqual(['warning']);
    expect(heard).toEqual(['connected 1', 'disconnected 1']);
    expect(peers.statuses()).toMatchObject([{ problem: { code: 'PeerMisbehaved' } }]);
  });

  it('of pings that ask for nothing is answered, as LDK pings after every 32 messages', () => {
    const { transport, heard } = connected();
    transport.latest.read();
    transport.latest.say(...Array.from({ length: 10 * PING_ALLOWANCE.burst }, () => ping(0)));
    expect(transport.latest.read()).toHaveLength(10 * PING_ALLOWANCE.burst);
    expect(heard).toEqual(['connected 1']);
  });

  it('of gossip ends the connection', () => {
    const { transport, heard } = connected();
    const gossip = Uint8Array.of(1, 0, 0xff);
    // Its init was one.
    transport.latest.saySealed(...Array.from({ length: MESSAGE_ALLOWANCE.burst - 1 }, () => gossip));
    expect(heard).toEqual(['connected 1']);
    transport.latest.saySealed(gossip);
    expect(heard).toEqual(['connected 1', 'disconnected 1']);
  });

  it.each(['error', 'warning'] as const)('of %ss ends the connection', (kind) => {
    const { transport, heard, logged } = connected();
    transport.latest.say(...Array.from({ length: COMPLAINT_ALLOWANCE.burst + 100 }, () => said(kind, 'no')));
    expect(heard.filter((line) => line === `${kind} 1`)).toHaveLength(COMPLAINT_ALLOWANCE.burst);
    expect([heard.at(-1), logged.length < 2 * COMPLAINT_ALLOWANCE.burst]).toEqual(['disconnected 1', true]);
  });

  it('that is slow enough is none', () => {
    const { timers, transport, heard } = connected();
    for (let minute = 0; minute < 3; minute++) {
      timers.advance(20_000);
      transport.latest.say(...Array.from({ length: 3 }, () => ping(0)));
    }
    expect(heard).toEqual(['connected 1']);
  });
});
