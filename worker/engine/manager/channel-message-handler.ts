import { toHex } from '../primitives/bytes.ts';
import { receiveClosingWarning } from '../channel/channel-closing.ts';
import { receiveMessage } from '../channel/channel-messages.ts';
import { isNegotiated } from '../channel/closed-channel.ts';
import { afterDisconnection, lostStateMessage, reestablishMessage } from '../channel/channel-reestablish.ts';
import { violation, type Violation } from '../channel/transition.ts';
import { lastCounterpartySecret } from '../monitor/channel-monitor.ts';
import type { FeatureSet } from '../wire/features.ts';
import type { Message, MessageOf } from '../wire/message.ts';
import { AnswerDeadlines } from './awaited-answer.ts';
import type { ChannelEstablishment } from './channel-establishment.ts';
import { channelIdOf, isOpen, isOperating, type ChannelEntry, type OpenEntry } from './channel-entry.ts';
import { ChannelQuarantine } from './channel-quarantine.ts';
import { ForwardingUpdates } from './forwarding-updates.ts';
import { envOf, monitorOf, type ManagerContext } from './manager-context.ts';
import { PeerAllowances } from './peer-allowances.ts';
import { PeerComplaints } from './peer-complaints.ts';
import type { Peer } from './peer-table.ts';

/** What peers do: come, go and send the messages of BOLT 2. */
export class ChannelMessageHandler {
  readonly #context: ManagerContext;
  readonly #establishment: ChannelEstablishment;
  readonly #quarantine = new ChannelQuarantine();
  readonly #deadlines = new AnswerDeadlines();
  readonly #allowances = new PeerAllowances();
  readonly #complaints: PeerComplaints;
  readonly #forwarding: ForwardingUpdates;

  constructor(context: ManagerContext, establishment: ChannelEstablishment) {
    this.#context = context;
    this.#establishment = establishment;
    this.#complaints = new PeerComplaints(context, establishment, this.#quarantine);
    this.#forwarding = new ForwardingUpdates(context);
  }

  peerConnected(nodeId: string, connectionId: number, features: FeatureSet): void {
    const { channels, peers, parts } = this.#context;
    // A peer may be back before its lost connection is noticed; what that one left unsigned is gone all the same.
    const lost = peers.get(nodeId);
    if (lost !== undefined) this.peerDisconnected(nodeId, lost.connectionId);
    peers.add(nodeId, { connectionId, features });
    for (const entry of channels.of(nodeId)) {
      if (this.#quarantine.isSetApart(entry)) parts.log(`${entry.key.slice(0, 8)} is set apart`);
      else this.#context.isolate(entry, () => this.#reestablish(entry));
    }
  }

  peerDisconnected(nodeId: string, connectionId: number): void {
    const { channels, peers } = this.#context;
    if (peers.get(nodeId)?.connectionId !== connectionId) return;
    peers.remove(nodeId);
    this.#establishment.peerDisconnected(nodeId);
    for (const each of channels.of(nodeId)) {
      this.#quarantine.disconnected(each, this.#now);
      const entry = this.#context.turn().touch(each);
      entry.connection = 'disconnected';
      if (entry.state.kind === 'open') entry.state = afterDisconnection(entry.state);
      else if (entry.state.kind !== 'closed')
        this.#establishment.abandon(entry, 'The peer disconnected while the channel was opened.');
    }
  }

  receive(nodeId: string, connectionId: number, message: Message): void {
    const peer = this.#context.peers.listening(nodeId, connectionId);
    if (peer === undefined) return;
    switch (message.kind) {
      case 'open_channel':
        return this.#receiveOpen(nodeId, peer, message);
      case 'accept_channel':
      case 'funding_created':
        return this.#receiveFor(nodeId, peer, toHex(message.temporaryChannelId), message);
      case 'error':
        return this.#complaints.receiveError(nodeId, message);
      case 'channel_update':
        return this.#forwarding.receive(nodeId, message);
      case 'warning':
        this.#complaints.receiveWarning(nodeId, message);
        return this.#receiveClosingWarning(nodeId, message);
      default:
        if ('channelId' in message) this.#receiveFor(nodeId, peer, toHex(message.channelId), message);
    }
  }

  /** A channel is ready for HTLCs: its peer hears what we ask of those that go through us. */
  ready(entry: ChannelEntry): void {
    this.#forwarding.announce(entry);
  }

  /** As `ChannelManager.isSetApart`. */
  isSetApart(entry: ChannelEntry): boolean {
    return entry.connection === 'disconnected' && this.#quarantine.isSetApart(entry);
  }

  /** Time passes: peers that owe an answer for too long are met anew, and openings of theirs are given up. */
  timerTick(): void {
    for (const [entry, { kind, withinMs }] of this.#deadlines.timerTick(this.#context.channels.all(), this.#now)) {
      const late = violation(isOpen(entry) ? 'warn' : 'fail', `no ${kind} within ${withinMs / 1000} seconds`);
      this.#context.isolate(entry, () => this.violated(entry, late));
    }
  }

  /** With a new block, what was set apart is tried again. */
  bestBlockUpdated(): void {
    for (const entry of this.#context.channels.all()) {
      this.#quarantine.allowOneTry(entry);
      this.#context.isolate(entry, () => this.#resume(entry));
    }
  }

  /** The owner wants this peer: whatever of it was set apart is tried again. */
  retry(nodeId: string): void {
    for (const entry of this.#context.channels.of(nodeId)) {
      this.#quarantine.release(entry);
      this.#context.isolate(entry, () => this.#resume(entry));
    }
  }

  /** Begins with a channel on the present connection that was not begun with it. */
  #resume(entry: ChannelEntry): void {
    const peer = this.#context.peers.get(entry.nodeId);
    if (peer === undefined || entry.connection !== 'disconnected') return;
    this.#reestablish(entry);
    const held = this.#quarantine.held(entry, peer.connectionId);
    if (held !== undefined) this.#receiveFor(entry.nodeId, peer, entry.key, held);
  }

  #receiveOpen(nodeId: string, peer: Peer, message: MessageOf<'open_channel'>): void {
    if (this.#allowances.mayOpen(nodeId, this.#now)) return this.#establishment.receiveOpen(nodeId, peer, message);
    this.#context.peers.sendError(nodeId, message.temporaryChannelId, 'too many channels were opened lately');
  }

  #reestablish(each: ChannelEntry): void {
    if (each.state.kind === 'closed') return this.#askForClose(each);
    if (!isOperating(each)) return;
    this.#context.turn().touch(each).connection = 'reestablishing';
    // Who hears first which commitment a copy has could claim the same, though it knows the secret: a copy says it second.
    if (!monitorOf(this.#context, each).isCopy) this.#sendReestablish(each);
  }

  #sendReestablish(entry: OpenEntry): void {
    const secret = lastCounterpartySecret(monitorOf(this.#context, entry));
    this.#context.peers.send(entry.nodeId, reestablishMessage(envOf(this.#context, entry), entry.state, secret));
  }

  /** Nothing of ours can close it: deployed nodes do not close for an `error` alone, but for a peer that has lost its state. */
  #askForClose(entry: ChannelEntry): void {
    const { closed, confirmedSpend, isCopy } = monitorOf(this.#context, entry);
    if ((closed === 'never' || isCopy) && confirmedSpend === undefined)
      this.#context.peers.send(entry.nodeId, lostStateMessage(envOf(this.#context, entry), channelIdOf(entry)));
  }

  #receiveFor(nodeId: string, peer: Peer, key: string, message: Message): void {
    const { channels, peers, parts } = this.#context;
    const entry = channels.get(key);
    if (entry === undefined || entry.nodeId !== nodeId) {
      // The peer has a channel that we do not know: only it can get our money out now (BOLT 2, Message Retransmission).
      if (message.kind === 'channel_reestablish')
        peers.sendError(nodeId, message.channelId, 'unknown channel: please close it');
      return;
    }
    if (entry.frozen !== undefined) return parts.log(`${key.slice(0, 8)} is frozen: ${message.kind} ignored`);
    const reestablishing = message.kind === 'channel_reestablish';
    const { state } = entry;
    if (state.kind === 'closed' && !isNegotiated(state)) return reestablishing ? this.#answerClosed(entry) : undefined;
    // BOLT 2, Message Retransmission: nothing else counts before `channel_reestablish`, which a closed channel answers once.
    if (isOpen(entry) && entry.connection !== 'connected' && !reestablishing)
      return message.kind === 'channel_ready' ? this.#readyTooEarly(entry) : undefined;
    if (state.kind === 'closed' && (entry.connection === 'connected') === reestablishing) return;
    if (isOpen(entry) && reestablishing && entry.connection === 'disconnected')
      return this.#quarantine.hold(entry, peer.connectionId, message);
    const wrong = this.#misplaced(entry, message);
    if (wrong !== undefined) return this.violated(entry, wrong);
    if (isOpen(entry) && reestablishing && monitorOf(this.#context, entry).isCopy) this.#sendReestablish(entry);
    const touched = this.#context.turn().touch(entry);
    const outcome = receiveMessage(envOf(this.#context, entry), entry.state, message, {
      peerFeatures: peer.features,
      trustedForZeroConf: parts.trustedForZeroConf(nodeId),
      shutdownScript: parts.wallet.freshScript('change'),
      newAlias: () => this.#establishment.newAlias(),
    });
    switch (outcome?.kind) {
      case 'violation':
        return this.violated(entry, outcome);
      case 'transition':
        if (reestablishing) {
          Object.assign(touched, { connection: 'connected', isConfirmed: entry.isConfirmed || isOpen(entry) });
          if (isOpen(entry) && monitorOf(this.#context, entry).isCopy)
            touched.steps = [...touched.steps, { kind: 'stateConfirmed' }];
          this.#quarantine.connected(entry, this.#now);
        }
        this.#context.apply(entry, outcome);
        if (reestablishing) this.#forwarding.announce(entry);
        return;
      case undefined:
        return;
      default:
        return outcome satisfies never;
    }
  }

  /**
   * lnd sends no `channel_reestablish` for a channel whose funding is not confirmed yet, but `channel_ready` once it is. With
   * the next connection it begins as BOLT 2 has it.
   */
  #readyTooEarly(entry: OpenEntry): void {
    if (entry.connection === 'reestablishing' && entry.state.commitments.counterpartyNext.kind === 'awaitingReady')
      this.#context.peers.disconnect(entry.nodeId, 'channel_ready came before channel_reestablish');
  }

  /** What a message breaks that its channel alone cannot see. */
  #misplaced(entry: ChannelEntry, message: Message): Violation | undefined {
    if (message.kind === 'funding_created' && entry.state.kind === 'awaitingFundingCreated') {
      const refusal = this.#establishment.outpointRefusal(message);
      return refusal === undefined ? undefined : violation('fail', refusal);
    }
    // Each answer is a long one: it is due once on a connection.
    if (message.kind === 'channel_reestablish' && isOpen(entry) && entry.connection === 'connected')
      return violation('warn', 'channel_reestablish came again');
    if (message.kind === 'commitment_signed' && isOpen(entry) && !this.#allowances.mayCommit(entry, this.#now))
      return violation('warn', 'commitment_signed without any change again and again');
    return undefined;
  }

  /** A peer that still has the channel open learns that it is over, unless the agreed transaction, in the chain, tells it. */
  #answerClosed(entry: ChannelEntry): void {
    if (entry.state.kind === 'closed' && entry.state.reason.kind !== 'cooperative')
      this.#sendError(entry, 'the channel is closed');
  }

  /** While a closing fee is negotiated, a warning for the channel is about that. */
  #receiveClosingWarning(nodeId: string, { channelId }: MessageOf<'warning'>): void {
    const entry = this.#context.channels.get(toHex(channelId));
    if (entry === undefined || entry.nodeId !== nodeId || !isOperating(entry)) return;
    if (entry.connection !== 'connected') return;
    const outcome = receiveClosingWarning(envOf(this.#context, entry), entry.state);
    if (outcome.kind === 'violation') this.violated(entry, outcome);
    else if (outcome.state !== entry.state) this.#context.apply(entry, outcome);
  }

  /** Answers a rule that the peer broke in a channel. */
  violated(entry: ChannelEntry, { severity, reason }: Violation): void {
    const { peers, parts } = this.#context;
    parts.log(`${entry.key.slice(0, 8)} ${severity}: ${reason}`);
    switch (severity) {
      case 'warn':
        this.#quarantine.blame(entry, this.#now);
        peers.sendWarning(entry.nodeId, channelIdOf(entry), reason);
        return peers.disconnect(entry.nodeId, reason);
      case 'fail':
        this.#sendError(entry, reason);
        if (isOpen(entry)) this.#context.close(entry, { kind: 'violation', message: reason }, 'broadcast');
        else this.#establishment.abandon(entry, `The channel could not be opened: ${reason}.`);
        return;
      case 'forgotten':
        this.#sendError(entry, reason);
        return this.#context.close(entry, { kind: 'counterpartyLostState' }, 'broadcast');
      case 'stale':
        this.#sendError(entry, reason);
        return this.#context.close(entry, { kind: 'stale' }, 'never');
      default:
        return severity satisfies never;
    }
  }

  get #now(): number {
    return this.#context.turn().now;
  }

  #sendError(entry: ChannelEntry, reason: string): void {
    this.#context.peers.sendError(entry.nodeId, channelIdOf(entry), reason);
  }
}
