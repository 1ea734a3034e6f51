import { describe, expect, it } from 'vitest';
import { localFeatures } from '../../../worker/client/peers/local-features.ts';
import { initMessage } from '../../../worker/client/peers/peer-init.ts';
import { HANDSHAKE_TIMEOUT_MS } from '../../../worker/client/peers/peer-session.ts';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import { featuresFromBits } from '../../../worker/engine/wire/features.ts';
import { chainHash, peerAddress, peerId, setUp } from './fake-peer.ts';
import { channelReady, said, start, stfu, zeroes } from './fixtures.ts';

describe('connecting', () => {
  it('is connected only after both inits', () => {
    const { transport, peers, heard, statuses } = start();
    expect(peers.statuses()).toEqual([{ nodeId: peerId, state: 'connecting' }]);
    expect(transport.latest.shakeHands()).toEqual([initMessage(localFeatures, chainHash)]);
    expect(heard).toEqual([]);
    transport.latest.say(initMessage(localFeatures, chainHash));
    expect(heard).toEqual(['connected 1']);
    expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'connected']);
  });

  it('tells the features of both fields of an init', () => {
    const heard: Uint8Array[] = [];
    const { transport } = start({ connected: (_nodeId, _id, features) => heard.push(features) });
    transport.latest.greet({ globalfeatures: Uint8Array.of(0, 0x20, 0x02), features: Uint8Array.of(0x80) });
    expect(heard).toEqual([Uint8Array.of(0x20, 0x82)]);
  });

  it('takes messages that come with the init in one chunk, after it', () => {
    const { transport, heard } = start();
    transport.latest.shakeHands();
    transport.latest.say(initMessage(localFeatures, chainHash), stfu, channelReady, stfu);
    expect(heard).toEqual(['connected 1', 'stfu 1', 'channel_ready 1', 'stfu 1']);
  });

  it.each([
    ['PeerFeatureUnsupported', { features: featuresFromBits([28]) }],
    ['PeerFeatureUnsupported', { features: featuresFromBits([1000]) }],
    ['PeerFeatureUnsupported', { features: featuresFromBits([51]) }],
    ['PeerOtherNetwork', { tlvs: { networks: [zeroes(32).fill(8)] } }],
    ['PeerOtherNetwork', { tlvs: { networks: [] } }],
  ])('refuses with %s an init of %j', (code, init) => {
    const { transport, peers, heard } = start();
    transport.latest.greet(init);
    expect(transport.latest.read().map(({ kind }) => kind)).toEqual(['warning']);
    expect(transport.latest.isClosed).toBe(true);
    expect(heard).toEqual([]);
    expect(peers.statuses()).toMatchObject([{ state: 'disconnected', problem: { code } }]);
  });

  it.each([
    ['no networks', { tlvs: {} }],
    ['several networks', { tlvs: { networks: [zeroes(32), chainHash] } }],
    ['unknown odd features', { features: featuresFromBits([29, 1001]) }],
    ['nothing but what is assumed', { features: zeroes(0) }],
    ['gossip queries demanded', { features: featuresFromBits([6, 10]) }],
  ])('accepts an init with %s', (_name, init) => {
    const { transport, heard } = start();
    transport.latest.greet(init);
    expect(heard).toEqual(['connected 1']);
  });

  it('gives up on a proxy that stays silent', () => {
    const { timers, transport, peers } = start();
    transport.latest.open();
    timers.advance(HANDSHAKE_TIMEOUT_MS - 1);
    expect(peers.statuses()).toMatchObject([{ state: 'connecting' }]);
    timers.advance(1);
    expect(transport.latest.isClosed).toBe(true);
    expect(peers.statuses()).toMatchObject([{ state: 'disconnected', problem: { code: 'PeerUnreachable' } }]);
  });

  it('gives up on a peer that sends no init', () => {
    const { timers, transport, peers } = start();
    transport.latest.shakeHands();
    timers.advance(HANDSHAKE_TIMEOUT_MS);
    expect(peers.statuses()).toMatchObject([{ problem: { code: 'PeerUnreachable' } }]);
  });

  it.each(['closes', 'answers'])('names a handshake that failed when another node %s', (how) => {
    const { transport, peers } = setUp();
    transport.secret = zeroes(32).fill(3);
    peers.add({ nodeId: peerId, address: peerAddress });
    transport.latest.open();
    if (how === 'closes') transport.latest.read();
    else transport.latest.receive(zeroes(50));
    expect(peers.statuses()).toMatchObject([{ state: 'disconnected', problem: { code: 'PeerHandshakeFailed' } }]);
  });

  it("keeps the peer's own words when it refuses us", () => {
    const { transport, peers, heard } = start();
    transport.latest.shakeHands();
    transport.latest.say(said('error', 'no room', zeroes(32)));
    transport.latest.drop();
    expect(peers.statuses()).toMatchObject([{ problem: { code: 'PeerError', details: { text: 'no room' } } }]);
    expect(heard).toEqual([]);
  });

  it('shows why there was no connection, until there is one', () => {
    const { timers, transport, peers } = start();
    transport.latest.drop(new GlowwormError('PeerUnreachable', 'no'));
    timers.advance(1_000);
    expect(peers.statuses()).toMatchObject([{ state: 'connecting', problem: { code: 'PeerUnreachable' } }]);
    transport.latest.greet();
    expect(peers.statuses()).toEqual([{ nodeId: peerId, state: 'connected' }]);
  });

  it.each(['', 'xyz', '02', `02${'00'.repeat(32)}`, peerId.slice(0, 65)])('refuses the node id "%s"', (nodeId) => {
    const { transport, peers } = setUp();
    expect(() => peers.add({ nodeId, address: peerAddress })).toThrow(
      expect.objectContaining({ code: 'NodeIdInvalid' }),
    );
    expect(transport.connections).toEqual([]);
  });
});
