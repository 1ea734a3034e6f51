import { fromUtf8, toUtf8 } from '../engine/primitives/bytes.ts';
import { GlowwormError } from '../engine/primitives/errors.ts';
import { recordFormat } from '../engine/wire/stored-record.ts';
import type { HeaderChainState } from '../edges/chain/header-chain.ts';
import type { NetworkName, PeerAddress, PeerConfig } from './api.ts';

/** Keys of the client's own records. */
export const WALLET_KEY = 'meta/wallet';
export const HEADERS_KEY = 'chain/headers';
export const peerKey = (nodeId: string): string => `meta/peer/${nodeId}`;
export const sentKey = (txid: string): string => `coin/sent/${txid}`;
export const coinTimeKey = (txid: string): string => `coin/time/${txid}`;

/** Headers kept over a restart: the depth of the deepest reorganisation that is followed. */
const KEPT_HEADERS = 288;

/** What a wallet is made from. */
export interface WalletSecret {
  readonly mnemonic: string;
  readonly network: NetworkName;
  /** The chain knows no coin of the wallet that is not in the store: it was made here, or the search for them is over. */
  readonly searched: boolean;
  /** Channels of an earlier life of the same words have used lower indexes: their keys must not be used again. */
  readonly firstKeysIndex: number;
}

/** A payment out of the on-chain wallet. */
export interface OnchainSend {
  /** As explorers print it. */
  readonly txid: string;
  readonly rawTx: Uint8Array;
  readonly address: string;
  readonly amountSat: bigint;
  readonly feeSat: bigint;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly confirmed: boolean;
}

/** When a transaction that brought a coin was made; milliseconds since 1970. */
export interface CoinTime {
  /** When this wallet first saw it. */
  readonly seenAt: number;
  /** Of its block's header; 0 while it is in none. */
  readonly blockAt: number;
}

const NETWORKS: readonly NetworkName[] = ['bitcoin', 'testnet', 'signet', 'regtest'];
const ADDRESSES: readonly PeerAddress['kind'][] = ['websocket', 'proxyV1', 'proxyHostPort'];

const walletRecord = recordFormat('wallet', 1, {
  mnemonic: [2, 'remaining'],
  network: [4, 'u8'],
  searched: [6, 'u8'],
  firstKeysIndex: [8, 'u32'],
});
const headersRecord = recordFormat('headers', 1, {
  height: [2, 'u32'],
  headers: [4, { kind: 'rest', of: { kind: 'fixed', length: 80 } }],
});
const peerRecord = recordFormat('peer', 1, {
  address: [2, 'u8'],
  url: [4, 'remaining'],
  host: [6, 'remaining'],
  port: [8, 'u16'],
  trustedForZeroConf: [10, 'u8'],
});

const sentRecord = recordFormat('on-chain payment', 1, {
  rawTx: [2, 'remaining'],
  address: [4, 'remaining'],
  amountSat: [6, 'u64'],
  feeSat: [8, 'u64'],
  at: [10, 'u64'],
  confirmed: [12, 'u8'],
});

const coinTimeRecord = recordFormat('coin time', 1, { seenAt: [2, 'u64'], blockAt: [4, 'u64'] });

export const encodeCoinTime = ({ seenAt, blockAt }: CoinTime): Uint8Array =>
  coinTimeRecord.encode({ seenAt: BigInt(seenAt), blockAt: BigInt(blockAt) });

export function decodeCoinTime(bytes: Uint8Array): CoinTime {
  const { seenAt, blockAt } = coinTimeRecord.decode(bytes);
  return { seenAt: Number(seenAt), blockAt: Number(blockAt) };
}

export const encodeSend = ({ rawTx, address, amountSat, feeSat, at, confirmed }: OnchainSend): Uint8Array =>
  sentRecord.encode({
    rawTx,
    address: fromUtf8(address),
    amountSat,
    feeSat,
    at: BigInt(at),
    confirmed: confirmed ? 1 : 0,
  });

export function decodeSend(txid: string, bytes: Uint8Array): OnchainSend {
  const { address, at, confirmed, ...stored } = sentRecord.decode(bytes);
  return { ...stored, txid, address: toUtf8(address), at: Number(at), confirmed: confirmed === 1 };
}

export const encodeWalletSecret = ({ mnemonic, network, searched, firstKeysIndex }: WalletSecret): Uint8Array =>
  walletRecord.encode({
    mnemonic: fromUtf8(mnemonic),
    network: NETWORKS.indexOf(network),
    searched: searched ? 1 : 0,
    firstKeysIndex,
  });

export function decodeWalletSecret(bytes: Uint8Array): WalletSecret {
  const stored = walletRecord.decode(bytes);
  const network = known(NETWORKS[stored.network], 'network');
  const { firstKeysIndex } = stored;
  return { mnemonic: toUtf8(stored.mnemonic), network, searched: stored.searched === 1, firstKeysIndex };
}

export function encodeHeaders({ height, headers }: HeaderChainState): Uint8Array {
  const surplus = Math.max(0, headers.length - KEPT_HEADERS);
  return headersRecord.encode({ height: height + surplus, headers: headers.slice(surplus) });
}

export const decodeHeaders = (bytes: Uint8Array): HeaderChainState => headersRecord.decode(bytes);

export function encodePeer({ address, trustedForZeroConf }: PeerConfig): Uint8Array {
  const direct = address.kind === 'websocket';
  return peerRecord.encode({
    address: ADDRESSES.indexOf(address.kind),
    url: fromUtf8(direct ? address.url : address.proxyUrl),
    host: fromUtf8(direct ? '' : address.host),
    port: direct ? 0 : address.port,
    trustedForZeroConf: trustedForZeroConf === true ? 1 : 0,
  });
}

export function decodePeer(nodeId: string, bytes: Uint8Array): PeerConfig {
  const stored = peerRecord.decode(bytes);
  const kind = known(ADDRESSES[stored.address], 'address');
  const url = toUtf8(stored.url);
  const address: PeerAddress =
    kind === 'websocket' ? { kind, url } : { kind, proxyUrl: url, host: toUtf8(stored.host), port: stored.port };
  return { nodeId, address, trustedForZeroConf: stored.trustedForZeroConf === 1 };
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new GlowwormError('RecordIncomplete', `a stored record has an unknown ${what}`);
  return value;
}
