import { describe, expect, it } from 'vitest';
import { PONG_TIMEOUT_MS } from '../../../worker/client/peers/peer-session.ts';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import { peerAddress, peerId, setUp } from './fake-peer.ts';
import { connected, start, stfu } from './fixtures.ts';

describe('reconnecting', () => {
  it('waits longer after each failure, up to a minute, with jitter', () => {
    const { timers, transport } = start();
    const waited: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      transport.latest.drop(new GlowwormError('PeerUnreachable', 'no'));
      waited.push(Math.round((timers.nextDelayMs ?? 0) / 1_000));
      timers.advance(timers.nextDelayMs ?? 0);
    }
    expect(waited).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(transport.connections).toHaveLength(9);
  });

  it.each([
    [59_000, 4],
    [60_000, 1],
  ])('after %d ms of connection waits %d s', (connectedMs, seconds) => {
    const { timers, transport } = start();
    for (let attempt = 0; attempt < 2; attempt++) {
      transport.latest.drop();
      timers.advance(timers.nextDelayMs ?? 0);
    }
    transport.latest.greet();
    for (let passed = 0; passed < connectedMs; passed += 1_000) {
      timers.advance(1_000);
      transport.latest.say(stfu);
    }
    transport.latest.drop();
    expect(Math.round((timers.nextDelayMs ?? 0) / 1_000)).toBe(seconds);
  });

  it('gives every connection its own id', () => {
    const { timers, transport, heard } = connected();
    transport.latest.drop();
    timers.advance(2_000);
    transport.latest.greet();
    expect(heard).toEqual(['connected 1', 'disconnected 1', 'connected 2']);
  });

  it('connects at once on wake, and asks connected peers for a sign of life', () => {
    const { transport, peers, pass } = start();
    transport.latest.drop();
    peers.wake();
    expect(transport.connections).toHaveLength(2);
    peers.wake();
    expect(transport.connections).toHaveLength(2);
    transport.latest.greet();
    transport.latest.read();
    peers.wake();
    peers.wake();
    expect(transport.latest.read().map(({ kind }) => kind)).toEqual(['ping']);
    pass(PONG_TIMEOUT_MS);
    expect(peers.statuses()).toMatchObject([{ state: 'disconnected' }]);
  });

  it('comes back after disconnect', () => {
    const { timers, transport, peers, heard } = connected();
    peers.disconnect(peerId, 1, 'stale');
    peers.disconnect(peerId, 1, 'again');
    expect(transport.latest.isClosed).toBe(true);
    expect(heard).toEqual(['connected 1', 'disconnected 1']);
    timers.advance(2_000);
    expect(transport.connections).toHaveLength(2);
  });

  it('keeps a connection that is newer than the one to be ended', () => {
    const { timers, transport, peers, heard } = connected();
    transport.latest.drop();
    timers.advance(2_000);
    transport.latest.greet();
    peers.disconnect(peerId, 1, 'late');
    expect([transport.latest.isClosed, heard.at(-1)]).toEqual([false, 'connected 2']);
    peers.disconnect(peerId, 2, 'now');
    expect([transport.latest.isClosed, heard.at(-1)]).toEqual([true, 'disconnected 2']);
  });

  it('comes back after a message that could not be sent', () => {
    const { timers, transport, peers, logged } = connected();
    peers.send(peerId, 1, { kind: 'pong', ignored: new Uint8Array(70_000), tlvs: {} });
    expect([transport.latest.isClosed, logged.join().includes('could not be sent')]).toEqual([true, true]);
    timers.advance(2_000);
    expect(transport.connections).toHaveLength(2);
  });

  it.each(['remove', 'close'] as const)('does not come back after %s', (how) => {
    const { timers, transport, peers, heard } = connected();
    if (how === 'remove') peers.remove(peerId);
    else peers.close();
    expect(heard).toEqual(['connected 1', 'disconnected 1']);
    expect(peers.statuses()).toEqual([]);
    expect(timers.pending).toBe(0);
    expect(transport.latest.isClosed).toBe(true);
  });

  it('stays away when it is removed while it hears that it is disconnected', () => {
    const { timers, transport, peers } = connected({ disconnected: () => peers.remove(peerId) });
    transport.latest.drop();
    expect([timers.pending, peers.statuses()]).toEqual([0, []]);
  });

  it('moves to a new address, and takes the same one for a wake', () => {
    const { transport, peers, heard } = connected();
    peers.add({ nodeId: peerId.toUpperCase(), address: peerAddress });
    expect(transport.connections).toHaveLength(1);
    const address = { kind: 'proxyV1', proxyUrl: 'wss://proxy.example', host: 'peer.example', port: 9735 } as const;
    peers.add({ nodeId: peerId, address });
    expect(transport.connections.map((connection) => [connection.address.kind, connection.isClosed])).toEqual([
      ['websocket', true],
      ['proxyV1', false],
    ]);
    expect(heard).toEqual(['connected 1', 'disconnected 1']);
  });

  it('shows an address that cannot be used', () => {
    const { transport, peers } = setUp();
    transport.connect = () => {
      throw new GlowwormError('AddressInvalid', 'no');
    };
    peers.add({ nodeId: peerId, address: peerAddress });
    expect(peers.statuses()).toMatchObject([{ state: 'disconnected', problem: { code: 'AddressInvalid' } }]);
  });
});
