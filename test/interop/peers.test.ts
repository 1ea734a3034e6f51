import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { PeerAddress } from '../../worker/client/api.ts';
import { chainHashOf } from '../../worker/client/chain-hash.ts';
import { localFeatures } from '../../worker/client/peers/local-features.ts';
import { PeerConnections } from '../../worker/client/peers/peer-connections.ts';
import { HANDSHAKE_TIMEOUT_MS, PONG_TIMEOUT_MS } from '../../worker/client/peers/peer-session.ts';
import type { Transport } from '../../worker/edges/transport/transport.ts';
import type { WebSocketPort } from '../../worker/edges/transport/websocket-transport.ts';
import { WebSocketTransport } from '../../worker/edges/transport/websocket-transport.ts';
import { fromHex, toHex } from '../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import type { FeatureSet } from '../../worker/engine/wire/features.ts';
import { hasFeature } from '../../worker/engine/wire/features.ts';
import { FakeTimers } from '../edges/transport/fake-timers.ts';
import { World } from '../world/world.ts';

const REGTEST = chainHashOf('regtest');
const SIGNET = chainHashOf('signet');
const secret = fromHex('11'.repeat(32));
const nodeId = secp.publicKey(secret);

let world: World;
let open: PeerConnections | undefined;

beforeAll(async () => {
  world = await World.start({ withoutBob: true });
});
afterAll(() => world.stop());
afterEach(() => {
  open?.close();
  world.proxy.fault = { kind: 'none' };
});

/** A wallet's connections on real sockets; its clock moves only when the test says so. */
const connect = (address: PeerAddress, { chainHash = REGTEST, peerId = world.alice.id } = {}) => {
  const timers = new FakeTimers();
  const sockets = new WebSocketTransport({
    timers,
    connectWebSocket: (url) => new WebSocket(url) as WebSocketPort,
  });
  let chunks = 0;
  let hasOpened = false;
  const transport: Transport = {
    connect: (where, handlers) =>
      sockets.connect(where, {
        ...handlers,
        opened: () => {
          hasOpened = true;
          handlers.opened();
          world.changes.notify();
        },
        data: (bytes) => {
          chunks++;
          handlers.data(bytes);
          world.changes.notify();
        },
      }),
  };
  const features: FeatureSet[] = [];
  const peers = new PeerConnections({
    secp,
    staticKey: { nodeId, ecdh: (point) => secp.ecdh(secret, point) },
    entropy: { getSecureRandomBytes: () => crypto.getRandomValues(new Uint8Array(32)) },
    transport,
    timers,
    localFeatures,
    chainHash,
    handlers: {
      connected: (_nodeId, _connectionId, theirFeatures) => features.push(theirFeatures),
      disconnected: () => undefined,
      message: () => undefined,
      status: () => world.changes.notify(),
      log: () => undefined,
    },
  });
  open = peers;
  peers.add({ nodeId: peerId, address });
  const state = () => peers.statuses()[0]?.state;
  const until = (wanted: string) => world.until(`the peer is ${wanted}`, () => state() === wanted);
  const problem = async () => {
    await until('disconnected');
    return peers.statuses()[0]?.problem;
  };
  return { peers, timers, features, until, problem, state, chunks: () => chunks, opened: () => hasOpened };
};

const direct = (): PeerAddress => ({ kind: 'websocket', url: world.addresses.peer.wsUrl });
const throughProxy = (kind: 'proxyV1' | 'proxyHostPort'): PeerAddress => {
  const { host, port } = world.addresses.peer;
  return { kind, proxyUrl: world.proxy.url, host, port };
};

describe('connections to LDK', () => {
  it.each([
    ['WebSocket', direct],
    ['the v1 proxy', () => throughProxy('proxyV1')],
    ['the plain proxy', () => throughProxy('proxyHostPort')],
  ])('exchange init over %s', async (_name, address) => {
    const { until, features } = connect(address());
    await until('connected');
    await world.until('alice knows us', () => world.alice.isConnectedTo(toHex(nodeId)));
    expect(features.map((theirs) => hasFeature(theirs, 'option_static_remotekey'))).toEqual([true]);
  });

  it('are kept alive by pongs', async () => {
    const { until, peers, timers, chunks, state } = connect(direct());
    await until('connected');
    const before = chunks();
    peers.wake();
    await world.until('a pong', () => chunks() > before);
    timers.advance(PONG_TIMEOUT_MS);
    peers.timerTick();
    expect(state()).toBe('connected');
  });

  it('come back after a drop', async () => {
    const { until, timers, features } = connect(throughProxy('proxyV1'));
    await until('connected');
    world.proxy.drop();
    await until('disconnected');
    timers.advance(2_000);
    await until('connected');
    expect(features).toHaveLength(2);
  });

  it('name a proxy that stays silent', async () => {
    world.proxy.fault = { kind: 'silent' };
    const { timers, problem, opened } = connect(throughProxy('proxyHostPort'));
    await world.until('the proxy accepts', opened);
    timers.advance(HANDSHAKE_TIMEOUT_MS);
    expect(await problem()).toMatchObject({ code: 'PeerUnreachable' });
  });

  it('name a proxy that refuses', async () => {
    world.proxy.fault = { kind: 'refuse' };
    expect(await connect(throughProxy('proxyHostPort')).problem()).toMatchObject({ code: 'PeerUnreachable' });
  });

  it('name a node that has another id', async () => {
    const peerId = toHex(secp.publicKey(fromHex('22'.repeat(32))));
    expect(await connect(direct(), { peerId }).problem()).toMatchObject({ code: 'PeerHandshakeFailed' });
  });

  it('name a node of another network', async () => {
    expect(await connect(direct(), { chainHash: SIGNET }).problem()).toMatchObject({ code: 'PeerOtherNetwork' });
  });
});
