import { fromHex, toHex } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { readCount, writeCount, type StoredRecords } from '../primitives/store.ts';
import type { Msat, Sat } from '../primitives/units.ts';
import { acceptChannel, createFunding, fundingOutputScript, openChannel } from '../channel/channel-opening.ts';
import type { AwaitingFunding, OpenChannel } from '../channel/channel-state.ts';
import { decodeTransaction } from '../transactions/transaction.ts';
import { hasFeature } from '../wire/features.ts';
import type { MessageOf } from '../wire/message.ts';
import { isOpen, newEntry, channelIdOf, type ChannelEntry } from './channel-entry.ts';
import { writeNewChannel } from './channel-store.ts';
import { envOf, envOfSigner, type ManagerContext } from './manager-context.ts';
import type { Peer } from './peer-table.ts';

const NEXT_KEYS_KEY = 'meta/keysIndex';
/** Of one peer at a time: each costs keys and memory. */
const MAX_BEING_OPENED = 4;

/** Channels from the wish to have one to their funding (BOLT 2, Channel Establishment). */
export class ChannelEstablishment {
  readonly #context: ManagerContext;
  #nextKeysIndex = 0;

  constructor(context: ManagerContext) {
    this.#context = context;
  }

  load(records: StoredRecords): void {
    const index = records.get(NEXT_KEYS_KEY);
    if (index !== undefined) this.skipKeys(readCount(index));
  }

  /** Leaves out the keys of channels below an index. */
  skipKeys(firstKeysIndex: number): void {
    this.#nextKeysIndex = Math.max(this.#nextKeysIndex, firstKeysIndex);
  }

  /** As `ChannelManager.openChannel`. */
  open(nodeId: string, fundingSat: Sat, pushMsat: Msat): string {
    const peer = this.#context.peers.get(nodeId);
    if (peer === undefined)
      throw new GlowwormError('PeerNotConnected', 'The peer is not connected. Check its address.', { nodeId });
    this.#checkAmounts(peer, fundingSat, pushMsat);
    const { keys, entropy, chainHash } = this.#context.parts;
    const channelKeysIndex = this.#takeKeysIndex();
    const signer = keys.deriveChannelSigner(channelKeysIndex, fundingSat);
    const temporaryChannelId = entropy.getSecureRandomBytes();
    const key = toHex(temporaryChannelId);
    const opening = openChannel(envOfSigner(this.#context, signer), {
      temporaryChannelId,
      counterpartyNodeId: fromHex(nodeId),
      counterpartyFeatures: peer.features,
      channelKeysIndex,
      chainHash,
      fundingSat,
      pushMsat,
      shutdownScript: keys.shutdownScript(),
    });
    const entry = newEntry({ key, nodeId, signer, state: opening.state, connection: 'connected' });
    this.#context.channels.add(entry);
    this.#context.apply(entry, opening);
    return key;
  }

  receiveOpen(nodeId: string, peer: Peer, message: MessageOf<'open_channel'>): void {
    const { channels, peers, parts } = this.#context;
    const { temporaryChannelId } = message;
    const key = toHex(temporaryChannelId);
    if (channels.get(key) !== undefined) return;
    const beingOpened = channels.of(nodeId).filter((entry) => !isOpen(entry) && entry.state.kind !== 'closed');
    if (beingOpened.length >= MAX_BEING_OPENED)
      return peers.sendError(nodeId, temporaryChannelId, 'too many channels are being opened');
    const channelKeysIndex = this.#takeKeysIndex();
    const signer = parts.keys.deriveChannelSigner(channelKeysIndex, message.fundingSatoshis);
    const outcome = acceptChannel(envOfSigner(this.#context, signer), fromHex(nodeId), message, {
      chainHash: parts.chainHash,
      channelKeysIndex,
      trustedForZeroConf: parts.trustedForZeroConf(nodeId),
      counterpartyFeatures: peer.features,
      shutdownScript: parts.keys.shutdownScript(),
    });
    if (outcome.kind === 'violation') {
      parts.log(`refused a channel of ${nodeId.slice(0, 8)}: ${outcome.reason}`);
      return peers.sendError(nodeId, temporaryChannelId, outcome.reason);
    }
    const entry = newEntry({ key, nodeId, signer, state: outcome.state, connection: 'connected' });
    channels.add(entry);
    this.#context.apply(entry, outcome);
  }

  /** The wallet signs the funding transaction; it stays in the channel until the peer has signed our first commitment. */
  fund(entry: ChannelEntry, state: AwaitingFunding): void {
    const { channels, peers, parts, conditions } = this.#context;
    try {
      const output = { amountSat: state.fundingSat, script: fundingOutputScript(state) };
      const terms = { feeratePerKw: conditions.feerates.closing, reserveSat: this.#reserveSat() };
      const { rawTx, txid, outputIndex, coins } = parts.wallet.buildFunding(output, terms);
      entry.lockedCoins = coins;
      const created = createFunding(envOf(this.#context, entry), state, { transaction: rawTx, txid, outputIndex });
      channels.rekey(entry, created.state.params);
      this.#context.apply(entry, created);
    } catch (error) {
      if (!(error instanceof GlowwormError) || error.code !== 'InsufficientFunds') throw error;
      peers.sendError(entry.nodeId, channelIdOf(entry), 'the funding could not be paid');
      this.abandon(entry, error.message);
    }
  }

  /** A channel got its funding outpoint and with it its id: its monitor begins. */
  funded(entry: ChannelEntry, channel: OpenChannel): void {
    const { channels, chainMonitor, conditions, events } = this.#context;
    const steps = entry.steps;
    entry.steps = [];
    channels.rekey(entry, channel.params);
    writeNewChannel(this.#context.turn().writes, channel);
    chainMonitor.watchChannel(entry.key, channel.params, steps);
    entry.openedAtHeight = conditions.blockHeight;
    events.note('channelOpened', entry.key, channel.params.fundingSat * 1000n, '');
  }

  /** The peer has signed our first commitment: the funding may be in the chain. */
  fundingSigned({ state }: ChannelEntry): void {
    if (state.kind !== 'open' || state.funding.kind !== 'unconfirmed') return;
    this.#context.parts.wallet.transactionSeen(decodeTransaction(state.funding.transaction));
    this.#context.turn().broadcast(state.funding.transaction);
  }

  /** Forgets a channel that never got a funding. */
  abandon(entry: ChannelEntry, message: string): void {
    this.#context.channels.remove(entry);
    if (entry.lockedCoins !== undefined) this.#context.parts.wallet.unlock(entry.lockedCoins);
    const opener = entry.state.kind !== 'awaitingFundingCreated';
    if (opener) this.#context.events.note('channelOpenFailed', entry.key, 0n, message);
  }

  #checkAmounts({ features }: Peer, fundingSat: Sat, pushMsat: Msat): void {
    const { config, wallet } = this.#context.parts;
    if (fundingSat < config.minimumFundingSat)
      throw new GlowwormError('ChannelTooSmall', `A channel needs at least ${config.minimumFundingSat} sat.`);
    if (fundingSat > 16_777_215n && !hasFeature(features, 'option_support_large_channel'))
      throw new GlowwormError('ChannelTooLarge', 'The peer takes channels of at most 16,777,215 sat.');
    if (pushMsat > fundingSat * 1000n)
      throw new GlowwormError('AmountOutOfRange', 'More cannot be pushed than the channel holds.');
    const { spendableSat } = wallet.balance(this.#reserveSat());
    if (spendableSat < fundingSat)
      throw new GlowwormError('InsufficientFunds', `The on-chain wallet can spend ${spendableSat} sat.`, {
        availableSat: spendableSat,
        neededSat: fundingSat,
      });
  }

  /** An index is used up before the keys leave, whatever becomes of the channel: keys are never used twice. */
  #takeKeysIndex(): number {
    const index = this.#nextKeysIndex++;
    this.#context.turn().writes.set(NEXT_KEYS_KEY, writeCount(this.#nextKeysIndex));
    return index;
  }

  /** For the channel that is being opened too. */
  #reserveSat(): bigint {
    const open = this.#context.channels.all().filter(isOpen).length;
    return this.#context.parts.reserveSat(open + 1);
  }
}
