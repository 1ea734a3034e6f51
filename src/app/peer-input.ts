import type { PeerAddress, PeerConfig } from '../../worker/client/api.ts';

/** The fields of the form for a peer, as typed. */
export interface PeerFields {
  readonly nodeId: string;
  readonly kind: PeerAddress['kind'];
  /** The peer's own WebSocket, or the proxy's. */
  readonly url: string;
  readonly host: string;
  readonly port: string;
}

export const NO_PEER: PeerFields = { nodeId: '', kind: 'websocket', url: '', host: '', port: '9735' };

/** Distributes `nodeId@host:port`, as nodes print it, over the fields. */
export function withNodeId(fields: PeerFields, typed: string): PeerFields {
  const match = /^\s*([0-9a-fA-F]{66})@(.+):(\d{1,5})\s*$/.exec(typed);
  if (match === null) return { ...fields, nodeId: typed.trim() };
  const [, nodeId = '', host = '', port = ''] = match;
  const kind = fields.kind === 'websocket' ? 'proxyV1' : fields.kind;
  return { ...fields, nodeId: nodeId.toLowerCase(), kind, host: host.replace(/^\[|\]$/g, ''), port };
}

/** The peer, or what is wrong with the fields. */
export function readPeer(fields: PeerFields): PeerConfig | string {
  const nodeId = fields.nodeId.toLowerCase();
  if (!/^0[23][0-9a-f]{64}$/.test(nodeId)) return 'A node id has 66 hex digits and begins with 02 or 03.';
  const url = fields.url.trim();
  if (!/^wss?:\/\/.+/.test(url)) return 'The WebSocket address begins with wss:// (or ws:// on this computer).';
  if (fields.kind === 'websocket') return { nodeId, address: { kind: 'websocket', url } };
  const host = fields.host.trim();
  const port = Number(fields.port);
  if (host === '') return 'Behind a proxy, the peer needs a host name or an IP address.';
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return 'The port is a number up to 65535.';
  return { nodeId, address: { kind: fields.kind, proxyUrl: url.replace(/\/+$/, ''), host, port } };
}
