import { toHex } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { sortable, type StoredRecords, type StoreWrites } from '../primitives/store.ts';
import {
  decodeClosedChannel,
  decodeOpenChannel,
  encodeClosedChannel,
  encodeOpenChannel,
} from '../channel/channel-records.ts';
import type { ClosedChannel, OpenChannel } from '../channel/channel-state.ts';
import { allHtlcs } from '../channel/commitments.ts';
import { PAYMENT_ONION_BYTES } from '../onion/sphinx.ts';
import type { SignerState } from '../keys/signer-state.ts';
import { decodeParameters, encodeParameters, storeName } from '../monitor/channel-records.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import { recordFormat } from '../wire/stored-record.ts';
import { decodeAnchorChild, encodeAnchorChild, type AnchorChild } from './anchor-child.ts';
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
      writes.set(`chan/${storeName(state.params)}/state`, undefined);
      writes.set(`chan/${storeName(state.params)}/closed`, encodeClosedChannel(state));
      return;
    default:
      return;
  }
}

export const writeForwarding = (writes: StoreWrites, params: ChannelParameters, terms: ForwardingTerms): void =>
  void writes.set(`chan/${storeName(params)}/fwd`, forwardingRecord.encode(terms));

/** The child of our broadcast commitment; without one, its record goes. */
export const writeAnchorChild = (
  writes: StoreWrites,
  params: ChannelParameters,
  child: AnchorChild | undefined,
): void =>
  void writes.set(`chan/${storeName(params)}/child`, child === undefined ? undefined : encodeAnchorChild(child));

/** A channel as it was stored. */
export type StoredChannel = {
  readonly key: string;
  readonly params: ChannelParameters;
  readonly forwarding: ForwardingTerms | undefined;
  readonly onions: ReadonlySet<string>;
} & (
  | { readonly kind: 'open'; readonly channel: OpenChannel; readonly signer: SignerState }
  | { readonly kind: 'closed'; readonly channel: ClosedChannel; readonly anchorChild: AnchorChild | undefined }
);

/**
 * Every channel of the store. `outboundOnion` builds the onion of an HTLC of ours again. Throws `ChannelRecordMissing`
 * when a channel's state is gone: without it nothing may be said to its peer.
 */
export function readChannels(
  records: StoredRecords,
  outboundOnion: (channelKey: string, htlcId: bigint) => Uint8Array,
): readonly StoredChannel[] {
  const found: StoredChannel[] = [];
  for (const [path, bytes] of records) {
    const [room, name = '', part] = path.split('/');
    if (room !== 'chan' || part !== 'params') continue;
    const params = decodeParameters(bytes);
    const key = toHex(params.channelId);
    const forwarding = records.get(`chan/${name}/fwd`);
    const onions = new Set<string>();
    for (const stored of records.keys())
      if (stored.startsWith(`chan/${name}/htlc/`)) onions.add(stored.slice(`chan/${name}/htlc/`.length));
    const common = {
      key,
      params,
      onions,
      forwarding: forwarding === undefined ? undefined : forwardingRecord.decode(forwarding),
    };
    const closed = records.get(`chan/${name}/closed`);
    if (closed !== undefined) {
      const child = records.get(`chan/${name}/child`);
      const anchorChild = child === undefined ? undefined : decodeAnchorChild(child);
      found.push({ ...common, kind: 'closed', channel: decodeClosedChannel(closed, params), anchorChild });
      continue;
    }
    const state = records.get(`chan/${name}/state`);
    if (state === undefined)
      throw new GlowwormError(
        'ChannelRecordMissing',
        'A channel has lost its state: restore the wallet from a backup.',
        {
          channelId: key,
        },
      );
    const { channel, signer } = decodeOpenChannel(state, {
      params,
      fundingTransaction: records.get(`chan/${name}/tx`) ?? new Uint8Array(0),
      onionOf: ({ direction, id }) =>
        direction === 'outbound'
          ? outboundOnion(key, id)
          : (records.get(`chan/${name}/htlc/${sortable(id)}`) ?? new Uint8Array(PAYMENT_ONION_BYTES)),
    });
    found.push({ ...common, kind: 'open', channel, signer });
  }
  return found;
}

function writeOnions(writes: StoreWrites, entry: ChannelEntry, { params, commitments }: OpenChannel): void {
  const below = `chan/${storeName(params)}/htlc/`;
  const live = new Set<string>();
  for (const htlc of allHtlcs(commitments).values()) {
    // Outbound onions are built again from the payment; what the peer has not signed is forgotten anyhow.
    if (htlc.direction === 'outbound') continue;
    const proposed = commitments.counterpartyChanges.proposed;
    if (proposed.some((change) => change.kind === 'add' && change.htlc.id === htlc.id)) continue;
    const name = sortable(htlc.id);
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
