import { equalBytes, toHex } from '../primitives/bytes.ts';
import { sortable, type StoredRecords, type StoreWrites } from '../primitives/store.ts';
import { channelIdOf } from '../channel/channel-opening.ts';
import {
  decodeClosedChannel,
  decodeOpenChannel,
  encodeClosedChannel,
  encodeOpenChannel,
} from '../channel/channel-records.ts';
import type { ClosedChannel, OpenChannel } from '../channel/channel-state.ts';
import { isNegotiated } from '../channel/closed-channel.ts';
import { allHtlcs, type Commitments } from '../channel/commitments.ts';
import { PAYMENT_ONION_BYTES } from '../onion/sphinx.ts';
import type { SignerState } from '../keys/signer-state.ts';
import { decodeParameters, encodeParameters, storeName } from '../monitor/channel-records.ts';
import type { AnchorChild } from '../monitor/claims/anchor-child.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import type { Change } from '../transactions/commitment-spec.ts';
import { decodeTransaction } from '../transactions/transaction.ts';
import { readable, recordFormat } from '../wire/stored-record.ts';
import type { ChannelEntry, ForwardingTerms, SavedChannel } from './channel-entry.ts';

const forwardingRecord = recordFormat('forwarding terms', 1, {
  feeBaseMsat: [2, 'u32'],
  feeProportionalMillionths: [4, 'u32'],
  cltvExpiryDelta: [6, 'u16'],
});

/** What is written once, when a channel is first persisted. */
export function writeNewChannel(writes: StoreWrites, channel: OpenChannel): void {
  const name = storeName(channel.params);
  writes.set(`chan/${name}/params`, encodeParameters(channel.params));
  if (channel.funding.kind === 'unconfirmed' && channel.funding.transaction.length > 0)
    writes.set(`chan/${name}/tx`, channel.funding.transaction);
}

/** The record that every step of a payment changes, and the onions of inbound HTLCs that came or went. */
export function writeChannel(writes: StoreWrites, entry: ChannelEntry, { state, signerState }: SavedChannel): void {
  switch (state.kind) {
    case 'open':
      writes.set(`chan/${storeName(state.params)}/state`, encodeOpenChannel(state, signerState));
      return writeOnions(writes, entry, state);
    case 'closed':
      // A program that knows nothing of it reads the other record, and so a channel that is closed.
      writes.set(
        `chan/${storeName(state.params)}/state`,
        isNegotiated(state) ? encodeOpenChannel(state.negotiated, signerState) : undefined,
      );
      writes.set(`chan/${storeName(state.params)}/closed`, encodeClosedChannel(state));
      return;
    default:
      return;
  }
}

export const writeForwarding = (writes: StoreWrites, params: ChannelParameters, terms: ForwardingTerms): void =>
  void writes.set(`chan/${storeName(params)}/fwd`, forwardingRecord.encode(terms));

/** The child of our commitment is with its monitor now; older programs kept it here. */
export const dropStoredChild = (writes: StoreWrites, params: ChannelParameters): void =>
  void writes.set(`chan/${storeName(params)}/child`, undefined);

const childRecord = recordFormat('anchor child', 1, { feeratePerKw: [2, 'u32'], transaction: [4, 'remaining'] });

/** When it was made is not on record: 0. */
function decodeChild(bytes: Uint8Array): AnchorChild {
  const { feeratePerKw, transaction } = childRecord.decode(bytes);
  return { feeratePerKw, height: 0, since: 0, tx: decodeTransaction(transaction) };
}

/** Of a channel without an HTLC that anybody still waits for: what it was stays below `arch/`, which nobody reads. */
export function archiveChannel(writes: StoreWrites, closed: ClosedChannel, storedOnions: ReadonlySet<string>): void {
  const name = storeName(closed.params);
  writes.set(`arch/${name}/params`, encodeParameters(closed.params));
  writes.set(`arch/${name}/closed`, encodeClosedChannel(closed));
  const onions = [...storedOnions].map((onion) => `htlc/${onion}`);
  for (const part of ['params', 'tx', 'state', 'closed', 'fwd', 'child', ...onions])
    writes.set(`chan/${name}/${part}`, undefined);
}

/** A channel as it was stored; `lost` where the record of its state is not there, or damaged. */
export type StoredChannel = {
  readonly key: string;
  readonly params: ChannelParameters;
  readonly forwarding: ForwardingTerms | undefined;
  readonly onions: ReadonlySet<string>;
} & (
  | { readonly kind: 'open'; readonly channel: OpenChannel; readonly signer: SignerState }
  | {
      readonly kind: 'closed';
      readonly channel: ClosedChannel;
      /** Of a channel that was closed by agreement, until that is in the chain. */
      readonly signer: SignerState | undefined;
      readonly anchorChild: AnchorChild | undefined;
    }
  | { readonly kind: 'lost' }
);

/** What channels are read with. */
export interface ReadingParts {
  /** Builds the onion of an HTLC of ours again. */
  readonly onionOf: (channelKey: string, htlcId: bigint) => Uint8Array;
  readonly log: (line: string) => void;
}

/**
 * Every channel of the store. What is damaged is `undefined`, each
 * record by itself: one channel never costs another. Throws `RecordTooNew`.
 */
export function readChannels(records: StoredRecords, { onionOf, log }: ReadingParts): readonly StoredChannel[] {
  const found: StoredChannel[] = [];
  for (const name of namesOf(records)) {
    const params = readParameters(records, name);
    if (params === undefined) {
      log(`channel ${name} is lost: the record of its parameters is damaged`);
      continue;
    }
    const key = toHex(params.channelId);
    const forwarding = records.get(`chan/${name}/fwd`);
    const onions = new Set<string>();
    for (const stored of records.keys())
      if (stored.startsWith(`chan/${name}/htlc/`)) onions.add(stored.slice(`chan/${name}/htlc/`.length));
    found.push({
      key,
      params,
      onions,
      forwarding: forwarding && readable(() => forwardingRecord.decode(forwarding)),
      ...readState(records, { name, params, onionOf: (htlcId) => onionOf(key, htlcId) }),
    });
  }
  return found;
}

/** Of the channels that there is anything left of to begin with. */
function namesOf(records: StoredRecords): ReadonlySet<string> {
  const rooms = [...records.keys()].map((path) => path.split('/'));
  return new Set(
    rooms.flatMap(([room, name = '', part]) =>
      (room === 'chan' || room === 'mon') && part === 'params' ? [name] : [],
    ),
  );
}

/** A monitor has them too, and there is money in what it watches. */
function readParameters(records: StoredRecords, name: string): ChannelParameters | undefined {
  for (const room of ['chan', 'mon']) {
    const bytes = records.get(`${room}/${name}/params`);
    const params = bytes && readable(() => parametersOf(name, bytes));
    if (params !== undefined) return params;
  }
  return undefined;
}

/** Parameters that name other keys or another funding would open, and overwrite, another channel's records. */
function parametersOf(name: string, bytes: Uint8Array): ChannelParameters | undefined {
  const params = decodeParameters(bytes);
  const { channelId, fundingTxid, fundingOutputIndex } = params;
  const isWhole = storeName(params) === name && equalBytes(channelId, channelIdOf(fundingTxid, fundingOutputIndex));
  return isWhole ? params : undefined;
}

type StoredState = Pick<Extract<StoredChannel, { kind: 'open' }>, 'kind' | 'channel' | 'signer'>;
type StoredClose = Pick<Extract<StoredChannel, { kind: 'closed' }>, 'kind' | 'channel' | 'signer' | 'anchorChild'>;

function readState(
  records: StoredRecords,
  of: {
    readonly name: string;
    readonly params: ChannelParameters;
    readonly onionOf: (htlcId: bigint) => Uint8Array;
  },
): StoredState | StoredClose | { readonly kind: 'lost' } {
  const { name, params, onionOf } = of;
  const state = records.get(`chan/${name}/state`);
  const fundingTransaction = records.get(`chan/${name}/tx`) ?? new Uint8Array(0);
  const open =
    state &&
    readable(() =>
      decodeOpenChannel(state, {
        params,
        fundingTransaction,
        onionOf: (htlc) =>
          records.get(`chan/${name}/htlc/${onionName(htlc)}`) ??
          (htlc.direction === 'outbound' ? onionOf(htlc.id) : new Uint8Array(PAYMENT_ONION_BYTES)),
      }),
    );
  const closed = records.get(`chan/${name}/closed`);
  if (closed === undefined) return open === undefined ? { kind: 'lost' } : { kind: 'open', ...open };
  const channel = readable(() => decodeClosedChannel(closed, { params, fundingTransaction }));
  if (channel === undefined) return { kind: 'lost' };
  const child = records.get(`chan/${name}/child`);
  const anchorChild = child && readable(() => decodeChild(child));
  return { kind: 'closed', channel: withNegotiated(channel, open?.channel), signer: open?.signer, anchorChild };
}

function withNegotiated(closed: ClosedChannel, open: OpenChannel | undefined): ClosedChannel {
  if (open?.shutdown.kind !== 'both' || closed.reason.kind !== 'cooperative') return closed;
  return { ...closed, negotiated: { ...open, shutdown: open.shutdown } };
}

const onionName = ({ direction, id }: Pick<ChannelHtlc, 'direction' | 'id'>): string =>
  direction === 'outbound' ? `o${sortable(id)}` : sortable(id);

/**
 * The HTLCs whose onions have to be kept: of inbound ones what the peer has not signed is forgotten anyhow; outbound ones may have
 * to be said again until the peer has accepted them. That of a payment of ours is built again.
 */
function withOnion(commitments: Commitments): readonly ChannelHtlc[] {
  const { counterpartyChanges, holderChanges } = commitments;
  const addedBy = (changes: readonly Change[]): readonly ChannelHtlc[] =>
    changes.flatMap((change) => (change.kind === 'add' ? [change.htlc] : []));
  const unsigned = new Set(addedBy(counterpartyChanges.proposed).map(({ id }) => id));
  const inbound = [...allHtlcs(commitments).values()].filter(
    ({ direction, id }) => direction === 'inbound' && !unsigned.has(id),
  );
  const unacked = addedBy([...holderChanges.held, ...holderChanges.proposed, ...holderChanges.signed]);
  return [...inbound, ...unacked.filter(({ source }) => source !== undefined)];
}

function writeOnions(writes: StoreWrites, entry: ChannelEntry, { params, commitments }: OpenChannel): void {
  const below = `chan/${storeName(params)}/htlc/`;
  const live = new Set<string>();
  for (const htlc of withOnion(commitments)) {
    const name = onionName(htlc);
    live.add(name);
    if (entry.storedOnions.has(name)) continue;
    entry.storedOnions.add(name);
    writes.set(below + name, htlc.onion);
  }
  for (const name of entry.storedOnions) {
    if (live.has(name)) continue;
    entry.storedOnions.delete(name);
    writes.set(below + name, undefined);
  }
}
