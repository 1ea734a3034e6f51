import type { ChannelKeysId } from '../transactions/channel-parameters.ts';
import { fromHex, toHex } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { readCount, writeCount, type StoredRecords } from '../primitives/store.ts';
import { UndoableMap, type UndoLog } from '../primitives/undo-log.ts';
import type { Msat, Sat } from '../primitives/units.ts';
import {
  acceptChannel,
  channelIdOf as channelIdOfOutpoint,
  checkOpen,
  createFunding,
  formatFor,
  fundingOutputScript,
  leastOpenerSat,
  openAtHigherFeerate,
  openChannel,
  type AcceptPolicy,
} from '../channel/channel-opening.ts';
import { scidsOf } from '../channel/channel-scids.ts';
import type { AwaitingFunding, OpenChannel } from '../channel/channel-state.ts';
import { isTooLarge } from '../channel/channel-terms.ts';
import { p2wsh } from '../transactions/script.ts';
import { decodeTransaction } from '../transactions/transaction.ts';
import type { PaymentTerms } from '../wallet/wallet-transaction.ts';
import { hasFeature, type FeatureSet } from '../wire/features.ts';
import type { MessageOf } from '../wire/message.ts';
import { channelIdOf, isUnfunded, newEntry, type ChannelEntry, type FundingTerms } from './channel-entry.ts';
import { archiveChannel, writeNewChannel } from './channel-store.ts';
import { envOf, envOfSigner, type ManagerContext } from './manager-context.ts';
import type { Peer } from './peer-table.ts';
import { reservingChannels } from './reserving-channels.ts';

const NO_SCRIPT = new Uint8Array(0);
const NEXT_KEYS_KEY = 'meta/keysIndex';
/**
 * Channels of peers whose funding nobody has seen, of one peer and in all: each costs keys, memory and a request with every
 * block, and the peer nothing.
 */
const MAX_UNFUNDED_PER_PEER = 4;
const MAX_UNFUNDED = 20;

/** An `open_channel` that waits for the app's answer. */
interface ChannelRequest {
  readonly nodeId: string;
  readonly message: MessageOf<'open_channel'>;
}

/** Why a funding is not paid: the coins went elsewhere since the opening began, its fee has risen, or a payment was taken back. */
const UNPAID: readonly string[] = ['InsufficientFunds', 'FeeTooHigh', 'EarlierPaymentUnsettled'];

/** Channels from the wish to have one to their funding (BOLT 2, Channel Establishment). */
export class ChannelEstablishment {
  readonly #context: ManagerContext;
  /** By temporary id; gone with the connection. */
  readonly #requests: UndoableMap<string, ChannelRequest>;
  /** Scripts of openings that came to nothing: the next ones have them, for openings cost a peer nothing. */
  readonly #spareScripts: UndoableMap<string, Uint8Array>;
  #nextKeysIndex = 0;

  constructor(context: ManagerContext, undo: () => UndoLog | undefined) {
    this.#context = context;
    this.#requests = new UndoableMap(undo);
    this.#spareScripts = new UndoableMap(undo);
  }

  load(records: StoredRecords): void {
    const index = records.get(NEXT_KEYS_KEY);
    if (index !== undefined) this.skipKeys(readCount(index));
    // Also where that record, or a channel's own, is damaged: keys are never used twice.
    for (const path of records.keys()) {
      const [, name] = /^(?:chan|mon|arch)\/(\d+)\//.exec(path) ?? [];
      if (name !== undefined) this.skipKeys(Number(name) + 1);
    }
  }

  /** Leaves out the keys of channels below an index. */
  skipKeys(firstKeysIndex: number): void {
    this.#nextKeysIndex = Math.max(this.#nextKeysIndex, firstKeysIndex);
  }

  /** As `ChannelManager.openChannel`. */
  open(nodeId: string, fundingSat: Sat, pushMsat: Msat, fundingTerms: FundingTerms): string {
    const peer = this.#peerFor(nodeId, fundingSat, pushMsat);
    this.#checkFee(this.#quoteFunding(fundingSat, fundingTerms), fundingTerms);
    const { keys, entropy, chainHash } = this.#context.parts;
    const keysId = this.#takeKeysId();
    const signer = keys.deriveChannelSigner(keysId, fundingSat);
    const temporaryChannelId = entropy.getSecureRandomBytes();
    const key = toHex(temporaryChannelId);
    const opening = openChannel(envOfSigner(this.#context, signer), {
      temporaryChannelId,
      counterpartyNodeId: fromHex(nodeId),
      counterpartyFeatures: peer.features,
      ...keysId,
      chainHash,
      fundingSat,
      pushMsat,
      shutdownScript: this.#takeScript(peer.features),
    });
    const fixed = { key, nodeId, signer, state: opening.state, connection: 'connected' } as const;
    const entry = { ...newEntry(fixed), fundingTerms };
    this.#context.channels.add(entry);
    this.#context.apply(entry, opening);
    return key;
  }

  /** As `ChannelManager.quoteOpenChannel`. */
  quote(nodeId: string, fundingSat: Sat, pushMsat: Msat, terms: FundingTerms): bigint {
    this.#peerFor(nodeId, fundingSat, pushMsat);
    return this.#quoteFunding(fundingSat, terms);
  }

  /** A peer with whom a channel of this size can be opened now. */
  #peerFor(nodeId: string, fundingSat: Sat, pushMsat: Msat): Peer {
    const peer = this.#context.peers.get(nodeId);
    if (peer === undefined)
      throw new GlowwormError('PeerNotConnected', 'The peer is not connected. Check its address.', { nodeId });
    if (!this.#context.parts.isTipFresh())
      throw new GlowwormError(
        'ChainStale',
        'No new block has come for so long that the chain server may be behind. Open the channel after the next block, add another server, or check this device’s clock.',
      );
    this.#checkAmounts(peer, fundingSat, pushMsat);
    return peer;
  }

  #quoteFunding(amountSat: Sat, terms: FundingTerms): bigint {
    return this.#context.parts.wallet.quoteFunding({ amountSat, script: p2wsh(NO_SCRIPT) }, this.#paymentTerms(terms));
  }

  #checkFee(feeSat: bigint, { maxFeeSat }: FundingTerms): void {
    if (maxFeeSat !== undefined && feeSat > maxFeeSat)
      throw new GlowwormError(
        'FeeTooHigh',
        `The network fee of the funding has risen to ${feeSat} sat, above the ${maxFeeSat} sat that were agreed to. Nothing was sent.`,
        { feeSat, maxFeeSat },
      );
  }

  /**
   * What is kept for closes counts at the market's feerate, whatever is chosen for the funding. A funding is bound to earlier payments
   * like any other: what it pushes is paid to somebody, and what it does not may be, through the channel, minutes later, by an owner
   * who was told that the first payment had failed. It costs an input.
   */
  #paymentTerms({ feeratePerKw }: FundingTerms): PaymentTerms {
    const { parts, conditions } = this.#context;
    const { outputSpending } = conditions.feerates;
    return {
      feeratePerKw: feeratePerKw ?? outputSpending,
      reserveSat: this.#reserveSat(),
      reservePerKw: outputSpending,
      reserveCoinSat: parts.reserveSat(1),
      against: parts.unsettledPayments(),
    };
  }

  receiveOpen(nodeId: string, peer: Peer, message: MessageOf<'open_channel'>): void {
    const { peers, parts } = this.#context;
    const { temporaryChannelId } = message;
    // An `error` would be for the channel that has this id already, and close it.
    if (this.#isTaken(toHex(temporaryChannelId)))
      return peers.sendWarning(nodeId, temporaryChannelId, 'temporary_channel_id is in use');
    const rule = parts.inboundChannels(nodeId);
    const wrong = this.#refusal(nodeId, peer, message) ?? (rule === 'refuse' ? 'no channels are wanted' : undefined);
    if (wrong !== undefined) {
      parts.log(`refused a channel of ${nodeId.slice(0, 8)}: ${wrong}`);
      return peers.sendError(nodeId, temporaryChannelId, wrong);
    }
    if (rule === 'accept') return this.#accept(nodeId, peer, message);
    const key = toHex(temporaryChannelId);
    this.#requests.set(key, { nodeId, message });
    this.#context.events.note('channelRequested', key, message.fundingSatoshis * 1000n, nodeId);
  }

  /** As `ChannelManager.acceptInboundChannel`. */
  acceptRequested(key: string): void {
    const { nodeId, message } = this.#takeRequest(key);
    const peer = this.#context.peers.get(nodeId);
    if (peer === undefined) throw requestGone(key);
    const wrong = this.#refusal(nodeId, peer, message);
    // It was in order when it came: fees, or how many channels wait, are not what they were.
    if (wrong !== undefined)
      throw new GlowwormError(
        'ChannelRefused',
        'The channel cannot be accepted any more: fees have changed since the peer asked, no new block has come for hours, or too many channels wait for their funding. Refuse it, and have the peer ask again later.',
        { wrong },
      );
    this.#accept(nodeId, peer, message);
  }

  refuseRequested(key: string): void {
    const { nodeId, message } = this.#takeRequest(key);
    this.#context.peers.sendError(nodeId, message.temporaryChannelId, 'the channel is not wanted');
  }

  peerDisconnected(nodeId: string): void {
    for (const [key, request] of this.#requests) if (request.nodeId === nodeId) this.#takeRequest(key);
  }

  /**
   * Why a `funding_created` cannot be taken: its outpoint, or the id that follows from it, is that of another channel, which
   * it must not replace.
   */
  outpointRefusal({ fundingTxid, fundingOutputIndex }: MessageOf<'funding_created'>): string | undefined {
    const key = toHex(channelIdOfOutpoint(fundingTxid, fundingOutputIndex));
    return this.#isTaken(key) ? 'the funding outpoint is in use' : undefined;
  }

  /** A fresh alias of ours: 8 random bytes that no other channel has. */
  newAlias(): bigint {
    const taken = new Set(this.#context.channels.all().flatMap(({ state }) => scidsOf(state)));
    for (;;) {
      const random = this.#context.parts.entropy.getSecureRandomBytes();
      const alias = new DataView(random.buffer, random.byteOffset).getBigUint64(0) | (1n << 63n);
      if (!taken.has(alias)) return alias;
    }
  }

  /** The wallet signs the funding transaction; it stays in the channel until the peer has signed our first commitment. */
  fund(given: ChannelEntry, state: AwaitingFunding): void {
    const { channels, peers, parts } = this.#context;
    const entry = this.#context.turn().touch(given);
    try {
      const output = { amountSat: state.fundingSat, script: fundingOutputScript(state) };
      const { fundingTerms } = entry;
      const terms = this.#paymentTerms(fundingTerms);
      const { rawTx, txid, outputIndex, coins, feeSat } = parts.wallet.buildFunding(output, terms);
      entry.lockedCoins = coins;
      this.#checkFee(feeSat, fundingTerms);
      const created = createFunding(envOf(this.#context, entry), state, { transaction: rawTx, txid, outputIndex });
      channels.rekey(entry, created.state.params);
      this.#context.apply(entry, created);
    } catch (error) {
      if (!(error instanceof GlowwormError) || !UNPAID.includes(error.code)) throw error;
      peers.sendError(entry.nodeId, channelIdOf(entry), 'the funding could not be paid');
      this.abandon(entry, error.message);
    }
  }

  /** A channel got its funding outpoint and with it its id: its monitor begins. */
  funded(given: ChannelEntry, channel: OpenChannel): void {
    const { channels, chainMonitor, events } = this.#context;
    const entry = this.#context.turn().touch(given);
    const { steps } = entry;
    entry.steps = [];
    channels.rekey(entry, channel.params);
    writeNewChannel(this.#context.turn().writes, channel);
    chainMonitor.watchChannel(entry.key, channel.params, steps);
    events.note('channelOpened', entry.key, channel.params.fundingSat * 1000n, '');
  }

  /** The peer has signed our first commitment: the funding may be in the chain. */
  fundingSigned({ state }: ChannelEntry): void {
    if (state.kind !== 'open' || state.funding.kind !== 'unconfirmed') return;
    this.#context.parts.wallet.transactionMade(decodeTransaction(state.funding.transaction));
    this.#context.turn().broadcast(state.funding.transaction);
  }

  /**
   * Gives up a closed channel whose funding is not in the chain and will not be, or out of which nothing more can come: its
   * records are put out of the way, and the chain is not asked for it any more.
   */
  archive(entry: ChannelEntry): void {
    const { channels, chainMonitor, turn } = this.#context;
    if (entry.state.kind !== 'closed') return;
    channels.remove(entry);
    chainMonitor.archiveChannel(entry.key);
    archiveChannel(turn().writes, entry.state, entry.storedOnions);
  }

  /** Asks once more where a refusal is about a feerate that is too low; whether it did. */
  askAgain(entry: ChannelEntry, refusal: string): boolean {
    // As LDK, Core Lightning and eclair word it; of one that is too high the same is said with "high" or "above".
    const isTooLow = /feerate/i.test(refusal) && !/high|above/i.test(refusal);
    if (entry.state.kind !== 'awaitingAccept' || !isTooLow) return false;
    const again = openAtHigherFeerate(envOf(this.#context, entry), entry.state, this.#context.parts.chainHash);
    if (again !== undefined) this.#context.apply(entry, again);
    return again !== undefined;
  }

  /** Forgets a channel that never got a funding. */
  abandon(entry: ChannelEntry, message: string): void {
    this.#context.channels.remove(entry);
    if (entry.lockedCoins !== undefined) this.#context.parts.wallet.unlock(entry.lockedCoins);
    const script = 'holder' in entry.state ? entry.state.holder.upfrontShutdownScript : NO_SCRIPT;
    if (script.length > 0) this.#spareScripts.set(toHex(script), script);
    const opener = entry.state.kind !== 'awaitingFundingCreated';
    if (opener) this.#context.events.note('channelOpenFailed', entry.key, 0n, message);
  }

  #accept(nodeId: string, peer: Peer, message: MessageOf<'open_channel'>): void {
    const { channels, peers, parts } = this.#context;
    const keysId = this.#takeKeysId();
    const signer = parts.keys.deriveChannelSigner(keysId, message.fundingSatoshis);
    const policy = { ...this.#policy(nodeId, peer), ...keysId, shutdownScript: this.#takeScript(peer.features) };
    const outcome = acceptChannel(envOfSigner(this.#context, signer), fromHex(nodeId), message, policy);
    if (outcome.kind === 'violation') return peers.sendError(nodeId, message.temporaryChannelId, outcome.reason);
    const key = toHex(message.temporaryChannelId);
    const entry = newEntry({ key, nodeId, signer, state: outcome.state, connection: 'connected' });
    channels.add(entry);
    this.#context.apply(entry, outcome);
  }

  /** Why a channel cannot be accepted now; found out without keys, which each attempt would use up. */
  #refusal(nodeId: string, peer: Peer, message: MessageOf<'open_channel'>): string | undefined {
    const { channels, parts, conditions } = this.#context;
    if (!parts.isTipFresh()) return 'the chain is not known well enough now';
    const unfunded = channels.all().filter(({ state }) => isUnfunded(state));
    const asked = [...this.#requests.values()];
    const ofPeer = [...unfunded, ...asked].filter((each) => each.nodeId === nodeId).length;
    if (ofPeer >= MAX_UNFUNDED_PER_PEER) return 'too many channels of yours wait for their funding';
    if (unfunded.length + asked.length >= MAX_UNFUNDED) return 'too many channels wait for their funding';
    const checked = checkOpen({ ...parts, ...conditions }, message, this.#policy(nodeId, peer));
    return typeof checked === 'string' ? checked : undefined;
  }

  #policy(nodeId: string, { features }: Peer): Omit<AcceptPolicy, keyof ChannelKeysId | 'shutdownScript'> {
    const { parts } = this.#context;
    return {
      chainHash: parts.chainHash,
      trustedForZeroConf: parts.trustedForZeroConf(nodeId),
      counterpartyFeatures: features,
    };
  }

  #isTaken(key: string): boolean {
    return this.#context.channels.get(key) !== undefined || this.#requests.has(key);
  }

  #takeRequest(key: string): ChannelRequest {
    const request = this.#requests.get(key);
    if (request === undefined) throw requestGone(key);
    this.#requests.delete(key);
    this.#context.events.withdraw('channelRequested', key);
    return request;
  }

  #checkAmounts({ features }: Peer, fundingSat: Sat, pushMsat: Msat): void {
    const { parts, conditions } = this.#context;
    const { config, wallet } = parts;
    if (fundingSat < config.minimumFundingSat)
      throw new GlowwormError('ChannelTooSmall', `A channel needs at least ${config.minimumFundingSat} sat.`);
    if (isTooLarge(fundingSat, features))
      throw new GlowwormError('ChannelTooLarge', 'The peer takes channels of at most 16,777,215 sat.');
    if (pushMsat > fundingSat * 1000n)
      throw new GlowwormError('AmountOutOfRange', 'More cannot be pushed than the channel holds.');
    const format = formatFor(features);
    const { target } = conditions.feerates.commitment[format];
    const neededSat = leastOpenerSat(config, { format, fundingSat, feeratePerKw: target });
    if (fundingSat * 1000n - pushMsat < neededSat * 1000n)
      throw new GlowwormError(
        'ChannelTooSmall',
        `At today’s fees ${neededSat} sat of your side of the channel are kept for the fee of its close and as a reserve, and it would not have more. Open a larger channel, push less, or wait until fees are lower.`,
        { neededSat },
      );
    const { spendableSat } = wallet.balance(this.#reserveSat(), conditions.feerates.outputSpending);
    if (spendableSat < fundingSat)
      throw new GlowwormError('InsufficientFunds', `The on-chain wallet can spend ${spendableSat} sat.`, {
        availableSat: spendableSat,
        neededSat: fundingSat,
      });
  }

  /** Where all goes that a channel leaves, if its peer takes the promise: an address that is no other channel's. */
  #takeScript(features: FeatureSet): Uint8Array {
    if (!hasFeature(features, 'option_upfront_shutdown_script')) return NO_SCRIPT;
    const [spare] = this.#spareScripts.values();
    if (spare === undefined) return this.#context.parts.wallet.newScript('change');
    this.#spareScripts.delete(toHex(spare));
    return spare;
  }

  /** An index is used up before the keys leave, whatever becomes of the channel: keys are never used twice. */
  #takeKeysId(): ChannelKeysId {
    const channelKeysIndex = this.#nextKeysIndex++;
    this.#context.turn().writes.set(NEXT_KEYS_KEY, writeCount(this.#nextKeysIndex));
    return { channelKeysIndex, commitmentSalt: this.#context.parts.entropy.getSecureRandomBytes() };
  }

  /** For the channel that is being opened too. */
  #reserveSat(): bigint {
    return this.#context.parts.reserveSat(reservingChannels(this.#context) + 1);
  }
}

const requestGone = (temporaryChannelId: string): GlowwormError =>
  new GlowwormError('ChannelRequestGone', 'The peer does not wait for an answer any more.', { temporaryChannelId });
