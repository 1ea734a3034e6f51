import { LATENCY_GRACE_PERIOD_BLOCKS, MAX_CLTV_EXPIRY_DELTA } from '../primitives/lock-times.ts';
import { UndoableMap } from '../primitives/undo-log.ts';
import { msat, type Msat } from '../primitives/units.ts';
import { greatest } from '../primitives/bigints.ts';
import { GlowwormError } from '../primitives/errors.ts';
import type { HtlcOffer } from '../channel/channel-operation.ts';
import { realScid } from '../channel/channel-scids.ts';
import { allHtlcs } from '../channel/commitments.ts';
import type { HtlcResolution } from '../monitor/htlc-resolution.ts';
import { failureOfMalformed, type Failure } from '../onion/failure-message.ts';
import type { HtlcName } from '../payments/inbound-payment.ts';
import { buildFailure, wrapFailure } from '../onion/failures.ts';
import { htlcKey, type ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { Removal } from '../transactions/commitment-spec.ts';
import { passesOn, type HtlcSource, type PreviousHop } from '../transactions/htlc-source.ts';
import type { ChannelSwitch } from './channel-switch.ts';
import { isOpen, isUsableAt, type ForwardingTerms, type OpenEntry } from './channel-entry.ts';
import { InterceptedHtlcs } from './intercepted-htlcs.ts';
import type { ManagerContext } from './manager-context.ts';
import { lastHeight, previousHop, type RelayedHtlc } from './relayed-htlc.ts';

/** Payments of others that pass through this node. */
export class Forwards {
  readonly #context: ManagerContext;
  readonly #switch: ChannelSwitch;
  readonly intercepted: InterceptedHtlcs;
  /** Those that go on with the next tick: together, so that nobody can tell by the time which of them became which. */
  readonly #waiting: UndoableMap<string, RelayedHtlc>;

  constructor(context: ManagerContext, htlcSwitch: ChannelSwitch) {
    this.#context = context;
    this.#switch = htlcSwitch;
    this.intercepted = new InterceptedHtlcs(context);
    this.#waiting = new UndoableMap(() => context.turn().undo);
  }

  /** An inbound HTLC for somebody else is irrevocably committed. After a restart it may come again: what has gone on does not twice. */
  accepted(relayed: RelayedHtlc): void {
    const { channelKey, htlc } = relayed;
    const known = this.#switch.knownPreimage(channelKey, htlc.paymentHash);
    if (known !== undefined) return this.#switch.claimBack({ channelKey, htlcId: htlc.id }, known);
    if (this.#hasGoneOn(relayed)) return;
    const decision = this.#decide(relayed);
    if (decision === 'passOn') this.#waiting.set(nameOf(relayed), relayed);
    else this.#holdOrFail(relayed, decision);
  }

  /** Time passes: what waits goes on, unless something has come in its way. */
  timerTick(): void {
    for (const relayed of this.#waiting.values()) {
      this.#waiting.delete(nameOf(relayed));
      const decision = this.#decide(relayed);
      if (decision === 'passOn') this.#passOn(relayed);
      else this.#holdOrFail(relayed, decision);
    }
  }

  #holdOrFail(relayed: RelayedHtlc, decision: Failure | 'intercept'): void {
    if (decision === 'intercept') this.intercepted.hold(relayed);
    else this.#fail(previousHop(relayed), decision);
  }

  /**
   * Passes on what was intercepted, over a channel of the app's choice. Less than the sender meant is a fee that the payee has agreed to:
   * `update_add_htlc` says how much. Throws `InterceptGone`, `AmountOutOfRange`, `ChainStale` and what stands against the HTLC; then it waits on.
   */
  forwardIntercepted(interceptId: string, channelKey: string, chosenMsat?: bigint): void {
    const relayed = this.intercepted.named(interceptId);
    const amountMsat = chosenMsat ?? relayed.amtToForward;
    if (amountMsat <= 0n || amountMsat > relayed.htlc.amountMsat)
      throw new GlowwormError('AmountOutOfRange', 'No more can go on than came in.', { amountMsat });
    if (!this.#switch.isTipFresh())
      throw new GlowwormError('ChainStale', 'No new block has come for too long. The payment waits until one comes.');
    const offered = this.#switch.offer(channelKey, offerOf(relayed, msat(amountMsat)));
    if ('code' in offered) throw new GlowwormError(offered.code, offered.message, { channelId: channelKey });
    this.intercepted.release(relayed);
  }

  /** Gives back what was intercepted. Throws `InterceptGone`. */
  failIntercepted(interceptId: string): void {
    this.#failIntercepted(this.intercepted.named(interceptId), { kind: 'unknown_next_peer' });
  }

  #failIntercepted(relayed: RelayedHtlc, failure: Failure): void {
    this.intercepted.release(relayed);
    this.#fail(previousHop(relayed), failure);
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

  /** The preimage for an inbound HTLC that was passed on and fulfilled, while that may not be in its own monitor. */
  preimageOf(name: HtlcName): Uint8Array | undefined {
    for (const [, { events, sources }] of this.#context.chainMonitor.monitors())
      for (const { htlc, resolution } of events) {
        const source = sources.get(htlc.id);
        if (resolution.kind === 'fulfilled' && source !== undefined && passesOn(source, name))
          return resolution.preimage;
      }
    return undefined;
  }

  /** It was never signed and never will be. */
  dropped({ previous }: HtlcSource): void {
    this.#fail(previous, TEMPORARY_CHANNEL_FAILURE);
  }

  /** Whether the HTLC that was passed on needs no answer any more: it is gone for good, claimed, or only the chain can answer. */
  isAnswered({ previous }: HtlcSource, paymentHash: Uint8Array): boolean {
    return this.#isGone(previous) || this.#switch.knownPreimage(previous.channelKey, paymentHash) !== undefined;
  }

  #isGone({ channelKey, htlcId }: PreviousHop): boolean {
    const entry = this.#context.channels.get(channelKey);
    if (entry === undefined || !isOpen(entry)) return true;
    return !allHtlcs(entry.state.commitments).has(htlcKey({ direction: 'inbound', id: htlcId }));
  }

  /** Gives back in time what would otherwise force its channel to be closed. */
  bestBlockUpdated(height: number): void {
    for (const relayed of this.#waiting.values())
      if (height >= lastHeight(relayed)) {
        this.#waiting.delete(nameOf(relayed));
        this.#fail(previousHop(relayed), EXPIRY_TOO_SOON);
      }
    for (const { relayed } of this.intercepted.all())
      if (height >= lastHeight(relayed) || this.#isGone(previousHop(relayed)))
        this.#failIntercepted(relayed, EXPIRY_TOO_SOON);
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

  #decide(relayed: RelayedHtlc): Failure | 'intercept' | 'passOn' {
    const refusal = this.#generalRefusal(relayed);
    if (refusal !== undefined) return refusal;
    const named = this.#named(relayed.shortChannelId);
    const isAway = this.#candidates(named).length === 0;
    if (this.intercepted.concerns(relayed, named && { nodeId: named.nodeId, isAway })) return 'intercept';
    return this.#refusal(relayed, named) ?? 'passOn';
  }

  /** What stands against passing an HTLC on, whatever the channel is that it would take (BOLT 4). */
  #generalRefusal(relayed: RelayedHtlc): Failure | undefined {
    const { parts, conditions } = this.#context;
    if (parts.forwarding === undefined) return { kind: 'unknown_next_peer' };
    if (!this.#switch.isTipFresh()) return { kind: 'temporary_node_failure' };
    if (!this.#switch.takesHtlcs(relayed.channelKey)) return TEMPORARY_CHANNEL_FAILURE;
    if (conditions.blockHeight >= lastHeight(relayed)) return EXPIRY_TOO_SOON;
    const { cltvExpiry, amountMsat: htlcMsat } = relayed.htlc;
    if (cltvExpiry > conditions.blockHeight + MAX_CLTV_EXPIRY_DELTA) return { kind: 'expiry_too_far' };
    // Also of what the app decides upon: without these blocks the outbound HTLC could be taken when the inbound one is lost.
    if (cltvExpiry < relayed.outgoingCltvValue + parts.forwarding.cltvExpiryDelta)
      return { kind: 'incorrect_cltv_expiry', cltvExpiry, ...NO_UPDATE };
    return htlcMsat < relayed.amtToForward ? { kind: 'fee_insufficient', htlcMsat, ...NO_UPDATE } : undefined;
  }

  /** What the channel that the sender names asks for (BOLT 7). */
  #refusal(relayed: RelayedHtlc, named: OpenEntry | undefined): Failure | undefined {
    const { forwarding } = this.#context.parts;
    if (forwarding === undefined || named === undefined) return { kind: 'unknown_next_peer' };
    return termsRefusal(forwarding, named, relayed);
  }

  #passOn(relayed: RelayedHtlc): void {
    const offer = offerOf(relayed, msat(relayed.amtToForward));
    const channels = this.#candidates(this.#named(relayed.shortChannelId));
    const isTaken = channels.some(({ key }) => !('code' in this.#switch.offer(key, offer)));
    if (!isTaken) this.#fail(previousHop(relayed), TEMPORARY_CHANNEL_FAILURE);
  }

  /** The channel that the sender names, and others with the same peer (BOLT 4, Non-strict Forwarding). */
  #candidates(named: OpenEntry | undefined): readonly OpenEntry[] {
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
      this.intercepted.has(relayed) ||
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
  const { htlc, amtToForward } = relayed;
  const { amountMsat: htlcMsat } = htlc;
  if (amtToForward < state.params.counterparty.htlcMinimumMsat)
    return { kind: 'amount_below_minimum', htlcMsat, ...NO_UPDATE };
  if (htlcMsat < amtToForward + forwardingFeeMsat(terms, amtToForward))
    return { kind: 'fee_insufficient', htlcMsat, ...NO_UPDATE };
  return undefined;
}

const forwardingFeeMsat = (terms: ForwardingTerms, amountMsat: bigint): bigint =>
  BigInt(terms.feeBaseMsat) + (amountMsat * BigInt(terms.feeProportionalMillionths)) / 1_000_000n;

const offerOf = (relayed: RelayedHtlc, amountMsat: Msat): HtlcOffer => ({
  amountMsat,
  paymentHash: relayed.htlc.paymentHash,
  cltvExpiry: relayed.outgoingCltvValue,
  onion: relayed.nextPacket,
  source: {
    kind: 'forward',
    previous: previousHop(relayed),
    skimmedFeeMsat: msat(greatest(relayed.amtToForward - amountMsat, 0n)),
  },
});

const nameOf = ({ channelKey, htlc }: RelayedHtlc): string => `${channelKey} ${htlc.id}`;

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
