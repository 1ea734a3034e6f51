import { least } from '../primitives/bigints.ts';
import { compareBytes, equalBytes, fromHex } from '../primitives/bytes.ts';
import { sha256d } from '../primitives/hash.ts';
import { UndoableMap } from '../primitives/undo-log.ts';
import { MAX_CLTV_EXPIRY_DELTA } from '../primitives/lock-times.ts';
import { realScid, scidsOf } from '../channel/channel-scids.ts';
import { encodeMessage, type MessageOf } from '../wire/message.ts';
import { isOpen, isUsable, type ChannelEntry, type ForwardingTerms, type OpenEntry } from './channel-entry.ts';
import { writeForwarding } from './channel-store.ts';
import type { ManagerContext } from './manager-context.ts';

type ChannelUpdate = MessageOf<'channel_update'>;

/**
 * The peers' terms for forwarding to us, which our invoices repeat, and ours for forwarding to them: what `channel_update`s say
 * (BOLT 7).
 */
export class ForwardingUpdates {
  readonly #context: ManagerContext;
  /** By channel; of this run only, because each peer's own signature stands for its terms and it repeats them anyhow. */
  readonly #taken: UndoableMap<string, Taken>;
  /** When we told our own, in seconds since 1970, by channel. */
  readonly #announced: UndoableMap<string, number>;

  constructor(context: ManagerContext) {
    this.#context = context;
    this.#taken = new UndoableMap(() => context.turn().undo);
    this.#announced = new UndoableMap(() => context.turn().undo);
  }

  /** Takes over what is new, for a channel with the peer itself. Everything else is gossip, or not worth a signature check. */
  receive(nodeId: string, update: ChannelUpdate): void {
    const entry = this.#channelOf(nodeId, update);
    if (entry === undefined || !this.#isNext(entry, update) || !isPayable(update)) return;
    if (!isSigned(this.#context, nodeId, update))
      return this.#context.parts.log(`channel_update of ${nodeId.slice(0, 8)} with a signature that is not its own`);
    const { timestamp, feeBaseMsat, feeProportionalMillionths, cltvExpiryDelta } = update;
    const before = this.#taken.get(entry.key) ?? { written: entry.forwarding, writtenAt: 0 };
    const terms = { feeBaseMsat, feeProportionalMillionths, cltvExpiryDelta };
    this.#context.turn().touch(entry).forwarding = terms;
    this.#taken.set(entry.key, { ...before, ...this.#write(entry, terms, before), timestamp });
  }

  /** Tells a peer what we ask of whoever pays it through us: its invoices can name us then. */
  announce(entry: ChannelEntry): void {
    const { parts, peers, turn } = this.#context;
    if (parts.forwarding === undefined || !isUsable(entry)) return;
    // BOLT 7: each is newer than the one before.
    const timestamp = Math.max(Math.floor(turn().now / 1000), (this.#announced.get(entry.key) ?? 0) + 1);
    this.#announced.set(entry.key, timestamp);
    peers.send(entry.nodeId, signedUpdate(parts, entry, { ...parts.forwarding, timestamp }));
  }

  #write(
    { state }: OpenEntry,
    terms: ForwardingTerms,
    { written, writtenAt }: Pick<Taken, 'written' | 'writtenAt'>,
  ): Partial<Taken> {
    const { now, writes } = this.#context.turn();
    if (isSame(written, terms) || now - writtenAt < WRITE_INTERVAL_MS) return {};
    writeForwarding(writes, state.params, terms);
    return { written: terms, writtenAt: now };
  }

  /** An open channel with the peer on our chain, whose end at the peer the update is about. */
  #channelOf(nodeId: string, { chainHash, shortChannelId, channelFlags }: ChannelUpdate): OpenEntry | undefined {
    const { channels, parts } = this.#context;
    // BOLT 7: bit 0 is 0 for the lesser node id. With ours it is what we ask of whoever pays the peer.
    const ofPeer = compareBytes(fromHex(nodeId), parts.keys.nodeId) < 0 ? 0 : 1;
    if (!equalBytes(chainHash, parts.chainHash) || (channelFlags & 1) !== ofPeer) return undefined;
    return channels
      .of(nodeId)
      .filter(isOpen)
      .find(({ state }) => scidsOf(state).includes(shortChannelId));
  }

  /** BOLT 7: newer than the one before, and not so far in the future that none could follow. */
  #isNext({ key }: OpenEntry, { timestamp }: ChannelUpdate): boolean {
    const latest = this.#context.turn().now / 1000 + MAX_AHEAD_SECONDS;
    return timestamp > (this.#taken.get(key)?.timestamp ?? 0) && timestamp <= latest;
  }
}

/** What was last taken of a channel's updates. */
interface Taken {
  readonly timestamp: number;
  /** The terms that the store has. */
  readonly written: ForwardingTerms | undefined;
  readonly writtenAt: number;
}

/** As lnd and LDK: clocks differ, but not by more than a day. */
const MAX_AHEAD_SECONDS = 86_400;

/** A peer can sign new terms as often as it likes: what comes in between is written with the next ones, or said again. */
const WRITE_INTERVAL_MS = 60_000;

/**
 * Above these nobody would pay us: ten thousand satoshi, all of the amount again, and a lock that no node accepts. The terms
 * from before stay.
 */
const MAX_FEE_BASE_MSAT = 10_000_000;
const MAX_FEE_PROPORTIONAL_MILLIONTHS = 1_000_000;

const isPayable = ({ feeBaseMsat, feeProportionalMillionths, cltvExpiryDelta }: ChannelUpdate): boolean =>
  feeBaseMsat <= MAX_FEE_BASE_MSAT &&
  feeProportionalMillionths <= MAX_FEE_PROPORTIONAL_MILLIONTHS &&
  cltvExpiryDelta < MAX_CLTV_EXPIRY_DELTA;

/**
 * Over all behind the signature. Records of an extension that we do not know are not kept when a message is read, so a wrong
 * signature proves nothing against the peer: the update is left, the connection stays.
 */
function isSigned({ parts }: ManagerContext, nodeId: string, update: ChannelUpdate): boolean {
  return parts.secp.verify(update.signature, sha256d(signedPart(update)), fromHex(nodeId));
}

/** Of a channel that is not announced, under the name that the peer gave it (BOLT 7: bit 1 of `message_flags` is `dont_forward`). */
function signedUpdate(
  { keys, chainHash }: ManagerContext['parts'],
  { state }: OpenEntry,
  terms: ForwardingTerms & { readonly timestamp: number },
): ChannelUpdate {
  const { params, counterpartyAlias } = state;
  const { counterparty, counterpartyNodeId, fundingSat } = params;
  const unsigned: ChannelUpdate = {
    kind: 'channel_update',
    signature: new Uint8Array(64),
    chainHash,
    shortChannelId: counterpartyAlias === 0n ? (realScid(state) ?? 0n) : counterpartyAlias,
    messageFlags: 3,
    channelFlags: compareBytes(keys.nodeId, counterpartyNodeId) < 0 ? 0 : 1,
    htlcMinimumMsat: counterparty.htlcMinimumMsat,
    htlcMaximumMsat: least(fundingSat * 1000n, counterparty.maxHtlcValueInFlightMsat),
    ...terms,
    tlvs: {},
  };
  return { ...unsigned, signature: keys.signGossip(sha256d(signedPart(unsigned))) };
}

const signedPart = (update: ChannelUpdate): Uint8Array =>
  encodeMessage(update).slice(TYPE_BYTES + update.signature.length);

const TYPE_BYTES = 2;

const isSame = (a: ForwardingTerms | undefined, b: ForwardingTerms): boolean =>
  a?.feeBaseMsat === b.feeBaseMsat &&
  a.feeProportionalMillionths === b.feeProportionalMillionths &&
  a.cltvExpiryDelta === b.cltvExpiryDelta;
