import { fromHex, fromUtf8, toHex, toUtf8 } from '../engine/primitives/bytes.ts';
import { recordFormat } from '../engine/wire/stored-record.ts';
import type { NetworkName, PeerAddress, PeerConfig } from './api.ts';
import type { ChannelRow } from './channel-rows.ts';
import type { FeerateMemories } from './feerate-policy.ts';
import { known } from './known-value.ts';

/** Keys of the client's own records. */
export const WALLET_KEY = 'meta/wallet';
export const FEERATES_KEY = 'chain/feerates';
export const peerKey = (nodeId: string): string => `meta/peer/${nodeId}`;
export const receivedKey = (txid: string): string => `coin/received/${txid}`;
export const labelKey = (address: string): string => `coin/label/${address}`;
export const channelRowKey = (id: string): string => `coin/channel/${id}`;

/** What a wallet is made from. */
export interface WalletSecret {
  readonly mnemonic: string;
  readonly network: NetworkName;
  /** Of a signet that is not the default one: what its blocks are signed for, in hex. */
  readonly challenge?: string;
  /** The chain knows no coin of the wallet that is not in the store: it was made here, or the search for them is over. */
  readonly searched: boolean;
  /** Channels of an earlier life of the same words have used lower indexes: their keys must not be used again. */
  readonly firstKeysIndex: number;
}

/** A payment to the on-chain wallet: all that one transaction brought. Times are milliseconds since 1970. */
export interface OnchainReceived {
  /** As explorers print it. */
  readonly txid: string;
  readonly amountSat: bigint;
  /** When this wallet first saw it. */
  readonly seenAt: number;
  /** Absent while it is not confirmed; `at` is the time of the block's header. */
  readonly block?: { readonly height: number; readonly at: number };
}

/** A row of a channel, and when it was. */
export interface NotedRow extends ChannelRow {
  /** Milliseconds since 1970; 0 where nobody knows. */
  readonly at: number;
}

const ROW_KINDS: readonly ChannelRow['kind'][] = [
  'channelOpened',
  'channelClosed',
  'channelClaimed',
  'sent',
  'received',
];
const NETWORKS: readonly NetworkName[] = ['bitcoin', 'testnet', 'signet', 'regtest', 'testnet4', 'mutinynet'];
const ADDRESSES: readonly PeerAddress['kind'][] = ['websocket', 'proxyV1', 'proxyHostPort'];

const walletFields = {
  mnemonic: [2, 'remaining'],
  network: [4, 'u8'],
  searched: [6, 'u8'],
  firstKeysIndex: [8, 'u32'],
} as const;
const walletRecord = recordFormat('wallet', 1, walletFields);
/** What knows the first version only would take a signet of one's own for the default one. */
const signetWalletRecord = recordFormat('wallet', 2, walletFields, { challenge: [9, 'remaining'] });
/** Feerates in sat per 1000 weight, `since` in milliseconds since 1970. */
const feeratesRecord = recordFormat('feerates', 1, {
  since: [2, 'u64'],
  anchorsHighest: [4, 'u32'],
  anchorsHighestBefore: [6, 'u32'],
  staticRemotekeyHighest: [8, 'u32'],
  staticRemotekeyHighestBefore: [10, 'u32'],
});
const peerRecord = recordFormat('peer', 1, {
  address: [2, 'u8'],
  url: [4, 'remaining'],
  host: [6, 'remaining'],
  port: [8, 'u16'],
  trustedForZeroConf: [10, 'u8'],
});

const labelRecord = recordFormat('label of an address', 1, { label: [2, 'remaining'] });

/** A block's height and time are 0 while there is none: the first block pays nobody. */
const receivedRecord = recordFormat('received on-chain payment', 1, {
  amountSat: [2, 'u64'],
  seenAt: [4, 'u64'],
  blockHeight: [6, 'u32'],
  blockAt: [8, 'u64'],
});

/** A height of 0 is none. */
const channelRowRecord = recordFormat('row of a channel', 1, {
  kind: [2, 'u8'],
  amountMsat: [4, 'u64'],
  feeMsat: [6, 's64'],
  description: [8, 'remaining'],
  height: [10, 'u32'],
  at: [12, 'u64'],
});

export const encodeChannelRow = ({ kind, amountMsat, feeMsat, description, height, at }: NotedRow): Uint8Array =>
  channelRowRecord.encode({
    kind: ROW_KINDS.indexOf(kind),
    amountMsat,
    feeMsat,
    description: fromUtf8(description),
    height: height ?? 0,
    at: BigInt(at),
  });

export function decodeChannelRow(id: string, bytes: Uint8Array): NotedRow {
  const { kind, amountMsat, feeMsat, description, height, at } = channelRowRecord.decode(bytes);
  return {
    id,
    kind: known(ROW_KINDS[kind], 'kind'),
    amountMsat,
    feeMsat,
    description: toUtf8(description),
    height: height === 0 ? undefined : height,
    at: Number(at),
  };
}

export const encodeReceived = ({ amountSat, seenAt, block }: OnchainReceived): Uint8Array =>
  receivedRecord.encode({
    amountSat,
    seenAt: BigInt(seenAt),
    blockHeight: block?.height ?? 0,
    blockAt: BigInt(block?.at ?? 0),
  });

export function decodeReceived(txid: string, bytes: Uint8Array): OnchainReceived {
  const { amountSat, seenAt, blockHeight, blockAt } = receivedRecord.decode(bytes);
  const payment = { txid, amountSat, seenAt: Number(seenAt) };
  return blockHeight === 0 ? payment : { ...payment, block: { height: blockHeight, at: Number(blockAt) } };
}

export const encodeLabel = (label: string): Uint8Array => labelRecord.encode({ label: fromUtf8(label) });

export const decodeLabel = (bytes: Uint8Array): string => toUtf8(labelRecord.decode(bytes).label);

export function encodeWalletSecret(secret: WalletSecret): Uint8Array {
  const { mnemonic, network, challenge, searched, firstKeysIndex } = secret;
  const fields = {
    mnemonic: fromUtf8(mnemonic),
    network: NETWORKS.indexOf(network),
    searched: searched ? 1 : 0,
    firstKeysIndex,
  };
  return challenge === undefined
    ? walletRecord.encode(fields)
    : signetWalletRecord.encode({ ...fields, challenge: fromHex(challenge) });
}

export function decodeWalletSecret(bytes: Uint8Array): WalletSecret {
  const stored = signetWalletRecord.decode(bytes);
  const network = known(NETWORKS[stored.network], 'network');
  const { firstKeysIndex, challenge } = stored;
  const signet = challenge === undefined ? {} : { challenge: toHex(challenge) };
  return { mnemonic: toUtf8(stored.mnemonic), network, ...signet, searched: stored.searched === 1, firstKeysIndex };
}

/** Both memories take in the same estimates: their periods begin together. */
export const encodeFeerates = ({ anchors, static_remotekey }: FeerateMemories): Uint8Array =>
  feeratesRecord.encode({
    since: BigInt(anchors.since),
    anchorsHighest: anchors.highest,
    anchorsHighestBefore: anchors.highestBefore,
    staticRemotekeyHighest: static_remotekey.highest,
    staticRemotekeyHighestBefore: static_remotekey.highestBefore,
  });

export function decodeFeerates(bytes: Uint8Array): FeerateMemories {
  const stored = feeratesRecord.decode(bytes);
  const since = Number(stored.since);
  return {
    anchors: { since, highest: stored.anchorsHighest, highestBefore: stored.anchorsHighestBefore },
    static_remotekey: {
      since,
      highest: stored.staticRemotekeyHighest,
      highestBefore: stored.staticRemotekeyHighestBefore,
    },
  };
}

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
