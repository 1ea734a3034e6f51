import { MAX_MSAT, MAX_SAT } from '../engine/primitives/units.ts';
import type {
  CheckpointConfig,
  NetworkName,
  OnchainOutput,
  OnchainRecipients,
  PeerAddress,
  PeerConfig,
  SignetConfig,
  WalletApi,
  WalletConfig,
} from './api.ts';
import {
  amount,
  decimal,
  integer,
  invalid,
  list,
  matching,
  oneOf,
  record,
  text,
  truth,
  url,
  utf8,
  type Check,
} from './endpoint-checks.ts';

/** What the checkers of a method's arguments are: none, or one request object. */
type Arguments<P extends readonly unknown[]> = P extends readonly [infer Request] ? Check<Request> : typeof NOTHING;

/** A method that takes no argument. */
export const NOTHING = 'nothing';

/** A BOLT 11 field's length has 10 bits and counts groups of 5 bits. */
const MAX_DESCRIPTION_BYTES = 639;
const NODE_ID = matching(/^0[23][0-9a-f]{64}$/, "a node's public key: 66 lower-case hex digits");
const CHANNEL_ID = matching(/^[0-9a-f]{64}$/, 'a channel id: 64 lower-case hex digits');
const INTERCEPT = { interceptId: matching(/^[0-9a-f]{64}$/, 'an intercept id: 64 lower-case hex digits') } as const;
const SOCKET_URL = url(['wss:', 'ws:']);
const INVOICE = text(1, 8000);
const ADDRESS = text(1, 120);
const MSAT = amount(1n, MAX_MSAT);
/** A thousand sat/vB is what no market was ever at for long. */
const FEERATE = decimal(1, 1_000);
const LABEL = utf8(200);
const OUTPUT = record<OnchainOutput>({ address: ADDRESS, amountSat: amount(1n, MAX_SAT) }, {});
const PORT = integer(1, 65_535);
const HOST = matching(/^[0-9A-Za-z.:_-]{1,253}$/, 'a host name or an IP address');
const CHANNEL = record<{ readonly channelId: string }>({ channelId: CHANNEL_ID }, {});

type QuoteRequest = Parameters<WalletApi['quoteOnchain']>[0];
type SendRequest = Parameters<WalletApi['sendOnchain']>[0];
type ToOne = Extract<OnchainRecipients, { address: string }>;
type ToSeveral = Extract<OnchainRecipients, { outputs: readonly OnchainOutput[] }>;

const TO_ONE = { address: ADDRESS, amountSat: amountOrAll } as const;
const TO_SEVERAL = { outputs: list(OUTPUT, 1, 100) } as const;
const QUOTE_OPTIONS = { feeratePerVbyte: FEERATE } as const;
const SEND_OPTIONS = { ...QUOTE_OPTIONS, maxFeeSat: amount(0n, MAX_SAT), label: LABEL } as const;

const OPENING = { nodeId: NODE_ID, amountSat: amount(1n, MAX_SAT) } as const;
const OPENING_OPTIONS = { ...QUOTE_OPTIONS, pushMsat: amount(0n, MAX_MSAT) } as const;

const TXID = { txid: matching(/^[0-9a-f]{64}$/, 'a txid: 64 lower-case hex digits') } as const;
const QUOTE_REPLACEMENT = record<Parameters<WalletApi['quoteBump']>[0]>(TXID, QUOTE_OPTIONS);
const REPLACEMENT = record<Parameters<WalletApi['bumpOnchain']>[0]>(TXID, {
  ...QUOTE_OPTIONS,
  maxFeeSat: amount(0n, MAX_SAT),
});

type AddressOf<K extends PeerAddress['kind']> = Extract<PeerAddress, { kind: K }>;

const ADDRESSES = {
  websocket: record<AddressOf<'websocket'>>({ kind: oneOf('websocket'), url: SOCKET_URL }, {}),
  proxyV1: record<AddressOf<'proxyV1'>>({ kind: oneOf('proxyV1'), proxyUrl: SOCKET_URL, host: HOST, port: PORT }, {}),
  proxyHostPort: record<AddressOf<'proxyHostPort'>>(
    { kind: oneOf('proxyHostPort'), proxyUrl: SOCKET_URL, host: HOST, port: PORT },
    {},
  ),
} as const satisfies { readonly [K in PeerAddress['kind']]: Check<AddressOf<K>> };

const PEER = record<PeerConfig>({ nodeId: NODE_ID, address: peerAddress }, { trustedForZeroConf: truth });

/** The whole of what a page can ask a wallet for, with the checker of what it sends along. */
export const METHODS: { readonly [M in keyof WalletApi]: Arguments<Parameters<WalletApi[M]>> } = {
  snapshot: NOTHING,
  createWallet: NOTHING,
  restoreWallet: record({ mnemonic: text(1, 500) }, {}),
  showMnemonic: NOTHING,
  connectPeer: PEER,
  disconnectPeer: record({ nodeId: NODE_ID }, {}),
  forgetPeer: record({ nodeId: NODE_ID }, {}),
  openChannel: record(OPENING, { ...OPENING_OPTIONS, maxFeeSat: amount(0n, MAX_SAT) }),
  quoteOpenChannel: record(OPENING, OPENING_OPTIONS),
  quoteClose: CHANNEL,
  closeChannel: record({ channelId: CHANNEL_ID }, { maxFeeSat: amount(0n, MAX_SAT) }),
  forceCloseChannel: record({ channelId: CHANNEL_ID }, { unconfirmedState: truth }),
  acceptInboundChannel: record({ temporaryChannelId: CHANNEL_ID }, {}),
  refuseInboundChannel: record({ temporaryChannelId: CHANNEL_ID }, {}),
  newInterceptScid: NOTHING,
  interceptedHtlcs: NOTHING,
  forwardIntercepted: record({ ...INTERCEPT, channelId: CHANNEL_ID }, { amountMsat: MSAT }),
  failIntercepted: record(INTERCEPT, {}),
  createInvoice: record(
    { description: utf8(MAX_DESCRIPTION_BYTES) },
    { amountMsat: MSAT, expirySeconds: integer(1, 31_536_000) },
  ),
  decodeInvoice: record({ invoice: INVOICE }, {}),
  quotePayment: record({ invoice: INVOICE }, { amountMsat: MSAT }),
  payInvoice: record({ invoice: INVOICE }, { amountMsat: MSAT, maxFeeMsat: amount(0n, MAX_MSAT) }),
  activity: record({ limit: integer(1, 10_000) }, {}),
  newAddress: record({ type: oneOf('p2wpkh', 'p2tr') }, { label: LABEL }),
  quoteOnchain: bothForms(
    record<QuoteRequest & ToOne>(TO_ONE, QUOTE_OPTIONS),
    record<QuoteRequest & ToSeveral>(TO_SEVERAL, QUOTE_OPTIONS),
  ),
  sendOnchain: bothForms(
    record<SendRequest & ToOne>(TO_ONE, SEND_OPTIONS),
    record<SendRequest & ToSeveral>(TO_SEVERAL, SEND_OPTIONS),
  ),
  quoteSweepFound: NOTHING,
  sweepFound: record({}, { maxFeeSat: amount(0n, MAX_SAT) }),
  quoteBump: QUOTE_REPLACEMENT,
  bumpOnchain: REPLACEMENT,
  quoteCancel: QUOTE_REPLACEMENT,
  cancelOnchain: REPLACEMENT,
  acknowledgeEvent: record({ id: text(1, 200) }, {}),
  exportLog: NOTHING,
  wake: NOTHING,
};

/** The configuration that a worker is opened with. */
export const WALLET_CONFIG: Check<WalletConfig> = record<WalletConfig>(
  {
    network: oneOf<NetworkName>('bitcoin', 'testnet', 'testnet4', 'signet', 'mutinynet', 'regtest'),
    esploraUrls: list(url(['https:', 'http:']), 1, 10),
  },
  {
    signet: record<SignetConfig>(
      {
        challenge: matching(/^([0-9a-f]{2}){1,520}$/, 'a script in lower-case hex'),
        blockSeconds: integer(1, 3_600),
      },
      {},
    ),
    checkpoint: record<CheckpointConfig>(
      { height: integer(0, 499_999_999), hash: matching(/^[0-9a-f]{64}$/, 'a block hash: 64 lower-case hex digits') },
      {},
    ),
    requestsPer10s: integer(1, 100_000),
    peers: list(PEER, 0, 100),
    inboundChannels: oneOf('all', 'knownPeers', 'ask'),
    forwarding: record(
      {
        feeBaseMsat: integer(0, 10_000_000),
        feeProportionalMillionths: integer(0, 1_000_000),
        cltvExpiryDelta: integer(48, 1_008),
      },
      {},
    ),
    interception: record({}, { unknownScids: truth, offlinePeers: truth, peers: list(NODE_ID, 0, 1_000) }),
    name: matching(/^[0-9A-Za-z_-]{1,64}$/, 'up to 64 letters, digits, - and _'),
  },
);

function peerAddress(value: unknown, name: string): PeerAddress {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  return ADDRESSES[oneOf('websocket', 'proxyV1', 'proxyHostPort')(kind, `${name}.kind`)](value, name);
}

/** A payment to one address, or, where there are `outputs`, to several. */
function bothForms<One, Several>(one: Check<One>, several: Check<Several>): Check<One | Several> {
  return (value, name) =>
    (typeof value === 'object' && value !== null && 'outputs' in value ? several : one)(value, name);
}

function amountOrAll(value: unknown, name: string): bigint | 'all' {
  if (value === 'all') return value;
  if (typeof value !== 'bigint') throw invalid(name, "a bigint or 'all'");
  return amount(1n, MAX_SAT)(value, name);
}
