import type { PeerAddress } from '../../client/api.ts';
import { GlowwormError } from '../../engine/primitives/errors.ts';

type Strategies = {
  readonly [K in PeerAddress['kind']]: (address: Extract<PeerAddress, { readonly kind: K }>) => string;
};

/** How each kind of address becomes the URL of a WebSocket. */
const strategies: Strategies = {
  websocket: ({ url }) => webSocketUrl(url).href,
  proxyV1: ({ proxyUrl, host, port }) =>
    `${proxyBase(proxyUrl)}/v1/${hostName(host).replaceAll('.', '_')}/${checkedPort(port)}`,
  proxyHostPort: ({ proxyUrl, host, port }) =>
    `${proxyBase(proxyUrl)}/${host.includes(':') ? ipv6(host) : hostName(host)}:${checkedPort(port)}`,
};

/** The URL at which a peer is reached. Throws `AddressInvalid`, with the field in `details.field`. */
export function peerUrl(address: PeerAddress): string {
  switch (address.kind) {
    case 'websocket':
      return strategies.websocket(address);
    case 'proxyV1':
      return strategies.proxyV1(address);
    case 'proxyHostPort':
      return strategies.proxyHostPort(address);
    default:
      address satisfies never;
      throw invalid('kind', 'is none of the known kinds of address');
  }
}

const HOST_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/** A host name or an IPv4 address. An underscore is refused: it could not be told from a dot in the `v1` form. */
function hostName(host: string): string {
  const labels = host.split('.');
  if (host.length > 253 || !labels.every((label) => HOST_LABEL.test(label)))
    throw invalid('host', 'is neither a host name nor an IP address that this kind of proxy takes');
  return host.toLowerCase();
}

/** An IPv6 address, with or without brackets, as it stands in a URL. */
function ipv6(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const parsed = /^[0-9a-f:.]+$/i.test(bare) ? parse(`ws://[${bare}]`) : undefined;
  if (parsed === undefined) throw invalid('host', 'is not an IPv6 address');
  return parsed.hostname;
}

function checkedPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalid('port', 'is not a port from 1 to 65535');
  return port;
}

function proxyBase(text: string): string {
  const url = webSocketUrl(text, 'proxyUrl');
  if (url.search !== '') throw invalid('proxyUrl', 'has a query, which a proxy would not see');
  return url.href.replace(/\/+$/, '');
}

function webSocketUrl(text: string, field = 'url'): URL {
  const url = text.length <= 2048 ? parse(text) : undefined;
  if (url === undefined || (url.protocol !== 'wss:' && url.protocol !== 'ws:'))
    throw invalid(field, 'is not a URL that starts with wss:// or ws://');
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw invalid(field, 'has a user, a password or a fragment, which a WebSocket cannot use');
  return url;
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

const invalid = (field: string, what: string): GlowwormError =>
  new GlowwormError('AddressInvalid', `The peer's address can't be used: its ${field} ${what}.`, { field });
