import { describe, expect, it } from 'vitest';
import type { PeerAddress } from '../../../worker/client/api.ts';
import { peerUrl } from '../../../worker/edges/transport/websocket-url.ts';

const direct = (url: string): PeerAddress => ({ kind: 'websocket', url });
const v1 = (proxyUrl: string, host: string, port: number): PeerAddress => ({ kind: 'proxyV1', proxyUrl, host, port });
const plain = (proxyUrl: string, host: string, port: number): PeerAddress => ({
  kind: 'proxyHostPort',
  proxyUrl,
  host,
  port,
});

describe('peerUrl', () => {
  it.each<[PeerAddress, string]>([
    [direct('wss://node.example:9735'), 'wss://node.example:9735/'],
    [direct('ws://127.0.0.1:9736/path?token=a'), 'ws://127.0.0.1:9736/path?token=a'],
    [v1('wss://proxy.example', '10.0.0.1', 9735), 'wss://proxy.example/v1/10_0_0_1/9735'],
    [v1('wss://proxy.example/', 'Node.Example', 1), 'wss://proxy.example/v1/node_example/1'],
    [plain('wss://proxy.example', '10.0.0.1', 9735), 'wss://proxy.example/10.0.0.1:9735'],
    [plain('wss://proxy.example/deep/', 'node.example', 65535), 'wss://proxy.example/deep/node.example:65535'],
    [plain('wss://proxy.example', '2001:DB8::1', 9735), 'wss://proxy.example/[2001:db8::1]:9735'],
    [plain('wss://proxy.example', '[::1]', 9735), 'wss://proxy.example/[::1]:9735'],
  ])('%j', (address, url) => {
    expect(peerUrl(address)).toBe(url);
  });

  it.each<[PeerAddress, string]>([
    [direct('https://node.example'), 'url'],
    [direct('node.example:9735'), 'url'],
    [direct(''), 'url'],
    [direct('wss://user:secret@node.example'), 'url'],
    [direct('wss://node.example/#x'), 'url'],
    [direct(`wss://node.example/${'a'.repeat(2048)}`), 'url'],
    [v1('http://proxy.example', 'node.example', 9735), 'proxyUrl'],
    [v1('wss://proxy.example?key=1', 'node.example', 9735), 'proxyUrl'],
    [v1('wss://proxy.example', 'node_example', 9735), 'host'],
    [v1('wss://proxy.example', '::1', 9735), 'host'],
    [v1('wss://proxy.example', '', 9735), 'host'],
    [v1('wss://proxy.example', '../x', 9735), 'host'],
    [v1('wss://proxy.example', 'a..b', 9735), 'host'],
    [v1('wss://proxy.example', `${'a'.repeat(64)}.example`, 9735), 'host'],
    [plain('wss://proxy.example', 'node.example/x', 9735), 'host'],
    [plain('wss://proxy.example', '::1::', 9735), 'host'],
    [plain('wss://proxy.example', 'node.example', 0), 'port'],
    [plain('wss://proxy.example', 'node.example', 65536), 'port'],
    [plain('wss://proxy.example', 'node.example', 1.5), 'port'],
    [plain('wss://proxy.example', 'node.example', Number.NaN), 'port'],
  ])('refuses %j', (address, field) => {
    expect(() => peerUrl(address)).toThrow(expect.objectContaining({ code: 'AddressInvalid', details: { field } }));
  });
});
