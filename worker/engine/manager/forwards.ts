import { CLTV_CLAIM_BUFFER, LATENCY_GRACE_PERIOD_BLOCKS, MAX_CLTV_EXPIRY_DELTA } from '../primitives/lock-times.ts';
import { UndoableMap } from '../primitives/undo-log.ts';
import { msat } from '../primitives/units.ts';
import { realScid } from '../channel/channel-scids.ts';
import { allHtlcs } from '../channel/commitments.ts';
import type { HtlcResolution } from '../monitor/htlc-resolution.ts';
import { failureOfMalformed, type Failure } from '../onion/failure-message.ts';
import { buildFailure, wrapFailure } from '../onion/failures.ts';
import { htlcKey, type ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { Removal } from '../transactions/commitment-spec.ts';
import { passesOn, type HtlcSource, type PreviousHop } from '../transactions/htlc-source.ts';
import type { ChannelSwitch } from './channel-switch.ts';
import { isOpen, isUsableAt, type ForwardingTerms, type OpenEntry } from './channel-entry.ts';
import type { ManagerContext } from './manager-context.ts';

/** An inbound HTLC that is to go on, and what its onion says about that. Amounts in msat. */
export interface RelayedHtlc {
  readonly channelKey: string;
  readonly htlc: ChannelHtlc;
  readonly sharedSecret: Uint8Array;
  readonly amtToForward: bigint;
  readonly outgoingCltvValue: number;
  readonly shortChannelId: bigint;
  /** 1366 bytes. */
  readonly nextPacket: Uint8Array;
}

/** Payments of others that pass through this node. */
export class Forwards {
  readonly #context: ManagerContext;
  readonly #switch: ChannelSwitch;
  /** Those that go on with the next tick: together, so that nobody can tell by the time which of them became which. */
  readonly #waiting: UndoableMap<string, RelayedHtlc>;

  constructor(context: ManagerContext, htlcSwitch: ChannelSwitch) {
    this.#context = context;
    this.#switch = htlcSwitch;
    this.#waiting = new UndoableMap(() => context.turn().undo);
  }

  /** An inbound HTLC for somebody else is irrevocably committed. After a restart it may come again: what has gone on does not twice. */
  accepted(relayed: RelayedHtlc): void {
    const { channelKey, htlc } = relayed;
    const known = this.#switch.knownPreimage(channelKey, htlc.paymentHash);
    if (known !== undefined) return this.#switch.claimBack({ channelKey, htlcId: htlc.id }, known);
    if (this.#hasGoneOn(relayed)) return;
    const refusal = this.#refusal(relayed);
    if (refusal === undefined) this.#waiting.set(nameOf(relayed), relayed);
    else this.#fail(previousOf(relayed), refusal);
  }

  /** Time passes: what waits goes on. */
  timerTick(): void {
    for (const relayed of this.#waiting.values()) {
      this.#waiting.delete(nameOf(relayed));
      this.#passOn(relayed);
    }
  }

  /** What became of an HTLC that passes another one on. May come again, and changes nothing then. */
  resolved(
    outboundKey: string,
    { previous }: HtlcSource,
    { paymentHash }: ChannelHtlc,
    resolution: HtlcResolution,
  ): void {
    if (resolution.kind === 'fulfilled') return this.#switch.claimBack(previous, resolution.preimage);
    // Of another HTLC with the same hash: what is known is never given away.
    const known = this.#switch.knownPreimage(outboundKey, paymentHash);
    if (known !== undefined) return this.#switch.claimBack(previous, known);
    this.#switch.fail(previous.channelKey, removalOf(previous, resolution));
  }

  /** It was never signed and never will be. */
  dropped({ previous }: HtlcSource): void {
    this.#fail(previous, TEMPORARY_CHANNEL_FAILURE);
  }

  /** Whether the HTLC that was passed on needs no answer any more: it is gone for good, claimed, or only the chain can answer. */
  isAnswered({ previous }: HtlcSource, paymentHash: Uint8Array): boolean {
    const entry = this.#context.channels.get(previous.channelKey);
    if (entry === undefined || !isOpen(entry)) return true;
    if (this.#switch.knownPreimage(previous.channelKey, paymentHash) !== undefined) return true;
    return !allHtlcs(entry.state.commitments).has(htlcKey({ direction: 'inbound', id: previous.htlcId }));
  }

  /** Gives back in time what would otherwise force its channel to be closed. */
  bestBlockUpdated(height: number): void {
    for (const relayed of this.#waiting.values())
      if (isTooSoon(relayed, height)) {
        this.#waiting.delete(nameOf(relayed));
        this.#fail(previousOf(relayed), EXPIRY_TOO_SOON);
      }
    for (const [key, monitor] of this.#context.chainMonitor.monitors()) this.#failUnresolved(key, monitor, height);
  }

  /**
   * The one exception from waiting for the chain: the outbound channel is closed, nothing is decided, and the peer of the inbound one
   * would close within three blocks. The HTLC may be lost then; without the exception the channel is as well.
   */
  #failUnresolved(
    key: string,
    { sources, decidedHtlcs }: Pick<MonitorView, 'sources' | 'decidedHtlcs'>,
    height: number,
  ): void {
    const entry = this.#context.channels.get(key);
    if (sources.size === 0 || entry === undefined || isOpen(entry)) return;
    for (const [id, { previous }] of sources)
      if (!decidedHtlcs.has(id) && previous.cltvExpiry <= height + LATENCY_GRACE_PERIOD_BLOCKS)
        this.#fail(previous, { kind: 'permanent_channel_failure' });
  }

  /** What stands against passing an HTLC on, whatever the channel is that it would take (BOLT 4, BOLT 7). */
  #refusal(relayed: RelayedHtlc): Failure | undefined {
    const { parts, conditions } = this.#context;
    if (parts.forwarding === undefined) return { kind: 'unknown_next_peer' };
    if (!this.#switch.isTipFresh()) return { kind: 'temporary_node_failure' };
    if (!this.#switch.takesHtlcs(relayed.channelKey)) return TEMPORARY_CHANNEL_FAILURE;
    if (isTooSoon(relayed, conditions.blockHeight)) return EXPIRY_TOO_SOON;
    if (relayed.htlc.cltvExpiry > conditions.blockHeight + MAX_CLTV_EXPIRY_DELTA) return { kind: 'expiry_too_far' };
    const named = this.#named(relayed.shortChannelId);
    return named === undefined ? { kind: 'unknown_next_peer' } : termsRefusal(parts.forwarding, named, relayed);
  }

  /** By the channel that the sender names, or by another one with the same peer (BOLT 4, Non-strict Forwarding). */
  #passOn(relayed: RelayedHtlc): void {
    const refusal = this.#refusal(relayed);
    if (refusal !== undefined) return this.#fail(previousOf(relayed), refusal);
    const { htlc, amtToForward, outgoingCltvValue: cltvExpiry, nextPacket: onion } = relayed;
    const source: HtlcSource = { kind: 'forward', previous: previousOf(relayed) };
    const offer = { amountMsat: msat(amtToForward), paymentHash: htlc.paymentHash, cltvExpiry, onion, source };
    const taken = this.#candidates(relayed.shortChannelId).some(
      ({ key }) => !('code' in this.#switch.offer(key, offer)),
    );
    if (!taken) this.#fail(source.previous, TEMPORARY_CHANNEL_FAILURE);
  }

  #candidates(shortChannelId: bigint): readonly OpenEntry[] {
    const named = this.#named(shortChannelId);
    if (named === undefined) return [];
    const others = this.#context.channels.of(named.nodeId).filter((entry) => entry.key !== named.key);
    return [named, ...others].filter((entry) => isUsableAt(entry, this.#context.conditions.blockHeight));
  }

  /** The open channel that a sender can name so: by the alias that its peer has from us, or by its place in the chain. */
  #named(shortChannelId: bigint): OpenEntry | undefined {
    return this.#context.channels
      .all()
      .filter(isOpen)
      .find(({ state }) => state.holderAlias === shortChannelId || realScid(state) === shortChannelId);
  }

  /** On an outbound edge, or to be there with the next tick. */
  #hasGoneOn(relayed: RelayedHtlc): boolean {
    const { channels, chainMonitor } = this.#context;
    const name = { channelKey: relayed.channelKey, htlcId: relayed.htlc.id };
    const isSource = (source: HtlcSource | undefined): boolean => source !== undefined && passesOn(source, name);
    return (
      this.#waiting.has(nameOf(relayed)) ||
      chainMonitor.monitors().some(([, { sources }]) => [...sources.values()].some(isSource)) ||
      channels
        .all()
        .filter(isOpen)
        .some(({ state }) => [...allHtlcs(state.commitments).values()].some(({ source }) => isSource(source)))
    );
  }

  #fail({ channelKey, htlcId, sharedSecret }: PreviousHop, failure: Failure): void {
    this.#switch.fail(channelKey, { kind: 'fail', htlcId, reason: buildFailure(sharedSecret, failure) });
  }
}

type MonitorView = ReturnType<ManagerContext['chainMonitor']['monitors']>[number][1];

/** Nodes are no longer to tell their terms with a failure: whoever took them over would tell the sender's guess (BOLT 4). */
const NO_UPDATE = { channelUpdate: new Uint8Array(0) };
const TEMPORARY_CHANNEL_FAILURE: Failure = { kind: 'temporary_channel_failure', ...NO_UPDATE };
const EXPIRY_TOO_SOON: Failure = { kind: 'expiry_too_soon', ...NO_UPDATE };

/** What the sender owes to our terms, as they are for the channel that it names (BOLT 7, HTLC Fees and `cltv_expiry_delta`). */
function termsRefusal(terms: ForwardingTerms, { state }: OpenEntry, relayed: RelayedHtlc): Failure | undefined {
  const { htlc, amtToForward, outgoingCltvValue } = relayed;
  const { amountMsat: htlcMsat, cltvExpiry } = htlc;
  if (amtToForward < state.params.counterparty.htlcMinimumMsat)
    return { kind: 'amount_below_minimum', htlcMsat, ...NO_UPDATE };
  if (htlcMsat < amtToForward + forwardingFeeMsat(terms, amtToForward))
    return { kind: 'fee_insufficient', htlcMsat, ...NO_UPDATE };
  if (cltvExpiry < outgoingCltvValue + terms.cltvExpiryDelta)
    return { kind: 'incorrect_cltv_expiry', cltvExpiry, ...NO_UPDATE };
  return undefined;
}

const forwardingFeeMsat = (terms: ForwardingTerms, amountMsat: bigint): bigint =>
  BigInt(terms.feeBaseMsat) + (amountMsat * BigInt(terms.feeProportionalMillionths)) / 1_000_000n;

/** LDK's bounds: our HTLC has to leave time to be given back, and the inbound one time to be claimed out of the chain. */
const isTooSoon = ({ htlc, outgoingCltvValue }: RelayedHtlc, height: number): boolean =>
  outgoingCltvValue <= height + LATENCY_GRACE_PERIOD_BLOCKS ||
  htlc.cltvExpiry <= height + CLTV_CLAIM_BUFFER + LATENCY_GRACE_PERIOD_BLOCKS;

const nameOf = ({ channelKey, htlc }: RelayedHtlc): string => `${channelKey} ${htlc.id}`;

const previousOf = ({ channelKey, htlc, sharedSecret }: RelayedHtlc): PreviousHop => ({
  channelKey,
  htlcId: htlc.id,
  amountMsat: htlc.amountMsat,
  cltvExpiry: htlc.cltvExpiry,
  sharedSecret,
});

/** The next hop's failure under our layer, or our own where the next hop could not make one (BOLT 4, Returning Errors). */
function removalOf(
  { htlcId, sharedSecret }: PreviousHop,
  resolution: Exclude<HtlcResolution, { kind: 'fulfilled' }>,
): Extract<Removal, { kind: 'fail' }> {
  const ours = (failure: Failure): Uint8Array => buildFailure(sharedSecret, failure);
  if (resolution.kind === 'timedOut')
    return { kind: 'fail', htlcId, reason: ours({ kind: 'permanent_channel_failure' }) };
  const { removal } = resolution;
  if (removal.kind === 'fail') return { kind: 'fail', htlcId, reason: wrapFailure(sharedSecret, removal.reason) };
  const malformed = failureOfMalformed(removal.failureCode, removal.sha256OfOnion) ?? TEMPORARY_CHANNEL_FAILURE;
  return { kind: 'fail', htlcId, reason: ours(malformed) };
}
