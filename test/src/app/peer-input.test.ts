import { describe, expect, it } from 'vitest';
import { NO_PEER, readPeer, withNodeId, type PeerFields } from '../../../src/app/peer-input.ts';
import { ALICE } from '../fake-wallet.ts';

const DIRECT: PeerFields = { ...NO_PEER, nodeId: ALICE, url: 'wss://peer.example:9736' };
const PROXIED: PeerFields = { ...DIRECT, kind: 'proxyV1', url: 'wss://proxy.example/', host: '10.0.0.1' };

describe('withNodeId', () => {
  it('distributes what nodes print', () => {
    const fields = withNodeId(NO_PEER, ` ${ALICE.toUpperCase()}@[::1]:9000 `);
    expect(fields).toEqual({ nodeId: ALICE, kind: 'proxyV1', url: '', host: '::1', port: '9000' });
  });

  it('keeps the kind of proxy that was chosen', () => {
    expect(withNodeId({ ...NO_PEER, kind: 'proxyHostPort' }, `${ALICE}@a.example:1`).kind).toBe('proxyHostPort');
  });

  it('leaves the rest alone for a bare id', () => {
    expect(withNodeId(PROXIED, `${ALICE} `)).toEqual(PROXIED);
  });
});

describe('readPeer', () => {
  it('reads a peer with a WebSocket of its own', () => {
    expect(readPeer(DIRECT)).toEqual({ nodeId: ALICE, address: { kind: 'websocket', url: 'wss://peer.example:9736' } });
  });

  it('reads a peer behind a proxy', () => {
    const address = { kind: 'proxyV1', proxyUrl: 'wss://proxy.example', host: '10.0.0.1', port: 9735 };
    expect(readPeer(PROXIED)).toEqual({ nodeId: ALICE, address });
  });

  it.each([
    [{ nodeId: ALICE.slice(2) }, 'node id'],
    [{ nodeId: `04${ALICE.slice(2)}` }, 'node id'],
    [{ url: 'https://proxy.example' }, 'WebSocket address'],
    [{ host: ' ' }, 'host name'],
    [{ port: '0' }, 'port'],
    [{ port: '65536' }, 'port'],
    [{ port: 'x' }, 'port'],
  ])('says what is wrong with %o', (change, words) => {
    expect(readPeer({ ...PROXIED, ...change })).toContain(words);
  });
});
