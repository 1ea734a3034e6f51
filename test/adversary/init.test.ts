import { describe, expect, it } from 'vitest';
import { localFeatures } from '../../worker/client/peers/local-features.ts';
import { initMessage } from '../../worker/client/peers/peer-init.ts';
import { HANDSHAKE_TIMEOUT_MS } from '../../worker/client/peers/peer-session.ts';
import { concat } from '../../worker/engine/primitives/bytes.ts';
import { featureSet, featuresFromBits } from '../../worker/engine/wire/features.ts';
import { encodeMessage, type Message, type MessageOf } from '../../worker/engine/wire/message.ts';
import { chainHash } from '../client/peers/fake-peer.ts';
import { channelReady, connected, ping, pong, said, start, stfu, zeroes } from '../client/peers/fixtures.ts';

type Init = MessageOf<'init'>;

const honest = initMessage(localFeatures, chainHash);

const inits: readonly [string, Partial<Init>, 'connected' | string][] = [
  ['that is ours', {}, 'connected'],
  ['of no features', { features: zeroes(0) }, 'connected'],
  ['of features with leading zeros', { features: concat(zeroes(5_000), localFeatures) }, 'connected'],
  ['of 60,000 bytes of zeros', { features: zeroes(60_000) }, 'connected'],
  ['of an unknown odd feature', { features: featuresFromBits([8, 14, 12, 44, 0, 201]) }, 'connected'],
  ['of an unknown odd feature far off', { features: featuresFromBits([8, 14, 12, 44, 0, 300_001]) }, 'connected'],
  ['without networks', { tlvs: {} }, 'connected'],
  ['with our network among others', { tlvs: { networks: [zeroes(32), chainHash] } }, 'connected'],
  [
    'with 1,000 networks and ours',
    { tlvs: { networks: [...Array.from({ length: 1_000 }, () => zeroes(32)), chainHash] } },
    'connected',
  ],
  ['whose features stand in globalfeatures', { globalfeatures: localFeatures, features: zeroes(0) }, 'connected'],
  ['that demands an unknown feature', { features: featuresFromBits([200]) }, 'PeerFeatureUnsupported'],
  [
    'that demands an unknown feature in globalfeatures',
    { globalfeatures: featuresFromBits([200]) },
    'PeerFeatureUnsupported',
  ],
  ['that demands every feature', { features: zeroes(1_000).fill(0xff) }, 'PeerFeatureUnsupported'],
  ['that demands a feature far off', { features: featuresFromBits([400_000]) }, 'PeerFeatureUnsupported'],
  ['that demands dual funding', { features: featureSet({ option_dual_fund: 'compulsory' }) }, 'PeerFeatureUnsupported'],
  ['that demands splicing', { features: featureSet({ option_splice: 'compulsory' }) }, 'PeerFeatureUnsupported'],
  ['of zero-conf without aliases', { features: featureSet({ option_zeroconf: 'optional' }) }, 'PeerFeatureUnsupported'],
  ['of another network', { tlvs: { networks: [zeroes(32)] } }, 'PeerOtherNetwork'],
  ['of no network', { tlvs: { networks: [] } }, 'PeerOtherNetwork'],
];

describe('an init', () => {
  it.each(inits)('%s is answered as it should be', (_name, change, outcome) => {
    const { transport, peers, heard } = start();
    transport.latest.greet(change);
    if (outcome === 'connected') {
      expect(heard).toEqual(['connected 1']);
      expect(peers.statuses()).toMatchObject([{ state: 'connected' }]);
    } else {
      expect(heard).toEqual([]);
      expect(peers.statuses()).toMatchObject([{ state: 'disconnected', problem: { code: outcome } }]);
    }
  });

  it.each<[string, Uint8Array]>([
    ['with an unknown even record', concat(encodeMessage(honest), Uint8Array.of(200, 0))],
    ['whose features are longer than it', Uint8Array.of(0, 16, 0, 0, 0xff, 0xff)],
    ['without its second field', Uint8Array.of(0, 16, 0, 0)],
    [
      'whose networks are no multiple of 32 bytes',
      concat(encodeMessage({ ...honest, tlvs: {} }), Uint8Array.of(1, 5, 1, 2, 3, 4, 5)),
    ],
  ])('%s is refused', (_name, bytes) => {
    const { transport, peers, heard } = start();
    transport.latest.shakeHands();
    transport.latest.saySealed(bytes);
    expect(heard).toEqual([]);
    expect(peers.statuses()).toMatchObject([{ state: 'disconnected', problem: { code: 'PeerMisbehaved' } }]);
  });

  it('that comes a second time ends the connection', () => {
    const { transport, heard } = connected();
    transport.latest.say(honest);
    expect(heard).toEqual(['connected 1', 'disconnected 1']);
    expect(transport.latest.isClosed).toBe(true);
  });

  it('that never comes ends the attempt in time, whatever else is said', () => {
    const { transport, timers, heard } = start();
    transport.latest.shakeHands();
    timers.advance(HANDSHAKE_TIMEOUT_MS);
    expect(heard).toEqual([]);
    expect(transport.latest.isClosed).toBe(true);
  });

  it('with an unknown odd record is taken', () => {
    const { transport, heard } = start();
    transport.latest.shakeHands();
    transport.latest.saySealed(concat(encodeMessage(honest), Uint8Array.of(201, 1, 7)));
    expect(heard).toEqual(['connected 1']);
  });
});

describe('before init', () => {
  it.each<[string, Message]>([
    ['ping', ping(10)],
    ['pong', pong],
    ['stfu', stfu],
    ['channel_ready', channelReady],
  ])('a %s is a broken protocol', (_name, message) => {
    const { transport, peers, heard } = start();
    transport.latest.shakeHands();
    transport.latest.say(message, honest);
    expect(heard).toEqual([]);
    expect(peers.statuses()).toMatchObject([{ state: 'disconnected', problem: { code: 'PeerMisbehaved' } }]);
  });

  it.each(['error', 'warning'] as const)('an %s is shown, and its init may follow', (kind) => {
    const { transport, peers, heard } = start();
    transport.latest.shakeHands();
    transport.latest.say(said(kind, 'busy', zeroes(32)));
    expect(heard).toEqual([]);
    transport.latest.say(honest);
    expect(heard).toEqual(['connected 1']);
    expect(peers.statuses()).toMatchObject([{ state: 'connected' }]);
  });
});
