import type {
  ChainStatus,
  ChannelSummary,
  NetworkName,
  PeerStatus,
  SigningProgress,
  WalletEvent,
} from '../../worker/client/api.ts';

/** Narrow and unbreakable, so that an amount never wraps. */
const SEPARATOR = '\u202f';

/** `1250000n` → `1 250 000`. */
export function grouped(value: bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, SEPARATOR);
}

/** Whole satoshi with their unit. */
export function satText(sat: bigint): string {
  return `${grouped(sat)}\u00a0sat`;
}

/** Whole satoshi, rounded down: a balance must not look larger than it is. */
export function msatText(msat: bigint): string {
  return satText(msat / 1000n);
}

/** All digits, for fees and amounts that may be below one satoshi. */
export function exactMsatText(msat: bigint): string {
  const rest = msat % 1000n;
  if (rest === 0n) return msatText(msat);
  const decimals = rest.toString().padStart(3, '0').replace(/0+$/, '');
  return `${grouped(msat / 1000n)}.${decimals}\u00a0sat`;
}

/** Reads whole satoshi; spaces may group the digits. `undefined` when it is something else or nothing at all. */
export function parseSat(text: string): bigint | undefined {
  const digits = text.replace(/[\s\u202f]/g, '');
  return /^\d{1,16}$/.test(digits) ? BigInt(digits) : undefined;
}

/** As the methods of a wallet take it. */
export interface ChosenFeerate {
  readonly feeratePerVbyte?: number;
}

/** Reads satoshi per vbyte; nothing typed is none chosen, `undefined` what is something else, or less or more than a wallet takes. */
export function readFeerate(text: string): ChosenFeerate | undefined {
  const typed = text.trim().replace(',', '.');
  if (typed === '') return {};
  const feeratePerVbyte = /^\d{1,4}(\.\d{1,3})?$/.test(typed) ? Number(typed) : 0;
  return feeratePerVbyte >= 1 && feeratePerVbyte <= 1_000 ? { feeratePerVbyte } : undefined;
}

/** To a tenth. */
export function feerateText(feeratePerVbyte: number): string {
  return `${Math.round(feeratePerVbyte * 10) / 10}\u00a0sat/vB`;
}

/** How far a payment of many coins is. */
export const signingText = ({ done, of }: SigningProgress): string => `Signing: ${done} of ${of} coins…`;

/** The two ends of a long id: enough to compare by eye, never to copy. */
export function shortId(id: string): string {
  return id.length <= 20 ? id : `${id.slice(0, 8)}…${id.slice(-8)}`;
}

const MINUTE = 60_000;

/** How long ago, and from the second day on the date; nothing for 0, which is a moment that nobody knows. */
export function timeText(at: number, now: number): string {
  if (at === 0) return '';
  const minutes = Math.floor((now - at) / MINUTE);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  const [then, today] = [new Date(at), new Date(now)];
  const year = then.getFullYear() === today.getFullYear() ? {} : ({ year: 'numeric' } as const);
  return then.toLocaleDateString(undefined, { day: 'numeric', month: 'short', ...year });
}

export function networkText(network: NetworkName): string {
  switch (network) {
    case 'bitcoin':
      return 'Bitcoin mainnet';
    case 'testnet':
      return 'Testnet 3';
    case 'testnet4':
      return 'Testnet 4';
    case 'signet':
      return 'Signet';
    case 'mutinynet':
      return 'Mutinynet';
    case 'regtest':
      return 'Regtest';
    default:
      return network satisfies never;
  }
}

function serversText({ servers = { agreeing: 1, of: 1 } }: ChainStatus): string {
  return servers.of > 1 ? `, as ${servers.agreeing} of ${servers.of} servers say` : '';
}

function staleText({ stale }: ChainStatus): string {
  if (stale === undefined) return '';
  const age = `. The newest block is ${stale.minutes} minutes old: the server may be behind, or this device’s clock wrong`;
  return stale.stopped ? `${age}. Until newer ones come no payments are made or taken, and no channels opened` : age;
}

function unseenText({ unseen = 0 }: ChainStatus): string {
  if (unseen === 0) return '';
  return `. ${unseen === 1 ? 'A transaction' : `${unseen} transactions`} of yours reached one server only, and ${unseen === 1 ? 'is' : 'are'} sent again`;
}

export function chainText(chain: ChainStatus): string {
  switch (chain.kind) {
    case 'connecting':
      return 'Connecting to the chain server…';
    case 'syncing':
      if (chain.problem !== undefined)
        return `At block ${grouped(BigInt(chain.blockHeight))}${staleText(chain)}${unseenText(chain)}. Some addresses could not be looked at, and are tried again.`;
      return `Catching up with the chain: block ${grouped(BigInt(chain.headerHeight ?? chain.blockHeight))}`;
    case 'synced':
      return `${chain.stale === undefined ? 'Up to date at' : 'At'} block ${grouped(BigInt(chain.blockHeight))}${serversText(chain)}${staleText(chain)}${unseenText(chain)}`;
    case 'unreachable':
      return 'The chain server does not answer. It is tried again.';
    default:
      return chain.kind satisfies never;
  }
}

export function channelText(channel: ChannelSummary): string {
  const { state, confirmations, confirmationsRequired } = channel;
  switch (state) {
    case 'opening':
      return 'Opening: the two sides are agreeing on it';
    case 'confirming':
      return `Waiting for the chain: ${confirmations} of ${confirmationsRequired} confirmations`;
    case 'ready':
      return channel.usable ? 'Ready' : 'Ready, but the peer is not connected';
    case 'closing':
      return 'Closing together with the peer';
    case 'closed':
      return 'Closed';
    case 'frozen':
      return 'Stopped by an error of this program';
    default:
      return state satisfies never;
  }
}

export function peerText(state: PeerStatus['state']): string {
  switch (state) {
    case 'connecting':
      return 'Connecting…';
    case 'connected':
      return 'Connected';
    case 'disconnected':
      return 'Not connected';
    default:
      return state satisfies never;
  }
}

/** What happened: what the wallet says of it after what can be said from here. */
export function eventText(event: WalletEvent): string {
  const amount = msatText(event.amountMsat);
  const message = event.message === '' ? '' : ` ${event.message}`;
  switch (event.kind) {
    case 'paymentSent':
      return `Sent ${amount}.${message}`;
    case 'paymentFailed':
      return `A payment of ${amount} was not sent.${message}`;
    case 'paymentReceived':
      return `Received ${amount}.${message}`;
    case 'channelOpened':
      return `A channel is being opened.${message}`;
    case 'channelReady':
      return `A channel is ready.${message}`;
    case 'channelClosed':
      return `A channel was closed.${message}`;
    case 'channelOpenFailed':
      return `A channel could not be opened.${message}`;
    case 'channelRequested':
      return `A peer wants to open a channel of ${amount}.`;
    case 'htlcIntercepted':
      return `A payment of ${amount} waits to be passed on.`;
    default:
      return event.kind satisfies never;
  }
}
