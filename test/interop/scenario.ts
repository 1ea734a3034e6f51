import assert from 'node:assert/strict';
import type { ChannelSummary, PeerAddress } from '../../worker/client/api.ts';
import type { LdkNode } from '../world/ldk-node.ts';
import type { LdkChannel } from '../world/ldk-views.ts';
import type { World } from '../world/world.ts';
import type { DrivenWallet } from './driven-wallet.ts';

const CONFIRMATIONS = 6;
/** Both sides keep one per cent as their reserve; LDK shows balances without it. */
const reserveMsat = (channel: ChannelSummary): bigint => (channel.capacitySat / 100n) * 1000n;

/** What a person does with a wallet whose peer is alice, and what must then be true on both sides. */
export class Scenario {
  readonly world: World;
  readonly wallet: DrivenWallet;

  constructor(world: World, wallet: DrivenWallet) {
    this.world = world;
    this.wallet = wallet;
  }

  get channels(): readonly ChannelSummary[] {
    return this.wallet.told.snapshot.channels;
  }

  /** The one channel that is neither closed nor closing. */
  get channel(): ChannelSummary {
    const [channel] = this.channels.filter(({ state }) => state !== 'closed');
    if (channel === undefined) throw new Error('there is no open channel');
    return channel;
  }

  channelOf(channelId: string): ChannelSummary {
    const found = this.channels.find((channel) => channel.channelId === channelId);
    if (found === undefined) throw new Error(`the wallet shows no channel ${channelId}`);
    return found;
  }

  until<T>(what: string, condition: () => T | undefined | false, timeoutMs?: number): Promise<T> {
    return this.world.until(what, condition, timeoutMs).catch(async (error: unknown) => {
      throw new Error([String(error), this.describe(), await this.wallet.api.exportLog()].join('\n'));
    });
  }

  /** Both sides' view, for a failure. */
  describe(): string {
    const text = (value: unknown): string =>
      JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? `${one}` : one), 1);
    const { channels, chain, onchain, peers, problem } = this.wallet.told.snapshot;
    return text({ channels, chain, onchain, peers, problem, alice: this.world.alice.channels() });
  }

  proxied(): PeerAddress {
    const { host, port } = this.world.addresses.peer;
    return { kind: 'proxyV1', proxyUrl: this.world.proxy.url, host, port };
  }

  async start(sats = 50_000_000): Promise<void> {
    await this.wallet.api.createWallet();
    await this.until('the chain is synced', () => this.wallet.told.snapshot.chain.kind === 'synced');
    await this.fund(sats);
    await this.wallet.api.connectPeer({ nodeId: this.world.alice.id, address: this.proxied() });
    await this.connected();
  }

  async fund(sats: number): Promise<void> {
    const before = this.wallet.told.snapshot.onchain.confirmedSat;
    const { address } = await this.wallet.api.newAddress({ type: 'p2wpkh' });
    await this.world.fund(address, sats);
    await this.wallet.api.wake();
    await this.until('the coins', () => this.wallet.told.snapshot.onchain.confirmedSat >= before + BigInt(sats));
  }

  async connected(): Promise<void> {
    await this.wallet.api.wake();
    await this.until('alice is connected', () => this.wallet.told.snapshot.peers[0]?.state === 'connected');
  }

  /** After trouble: every server works again, and nothing was lost. Gives our balance, as `agreed`. */
  async recovered(): Promise<bigint> {
    this.world.esplora.faults.clear();
    this.world.proxy.fault = { kind: 'none' };
    await this.connected();
    return this.agreed();
  }

  async mine(blocks: number): Promise<void> {
    const height = await this.world.mine(blocks);
    await this.wallet.api.wake();
    await this.until('the new blocks', () => this.wallet.told.snapshot.chain.blockHeight >= height);
  }

  /** A cooperative close is agreed upon, and its transaction waits for a block. */
  async closed(channelId: string): Promise<void> {
    await this.until('closed', () => this.channelOf(channelId).state === 'closed');
    await this.until('the closing transaction', () => this.world.chain.mempoolTxs().length > 0);
  }

  async openChannel(sats = 5_000_000n, pushMsat = 0n): Promise<string> {
    const known = new Set(this.channels.map(({ channelId }) => channelId));
    await this.wallet.api.openChannel({ nodeId: this.world.alice.id, amountSat: sats, pushMsat });
    return this.#confirmed(known);
  }

  /** Alice opens a channel to the wallet. */
  async acceptChannel(sats: number, pushMsat = 0): Promise<string> {
    const known = new Set(this.channels.map(({ channelId }) => channelId));
    this.world.alice.open({ nodeId: this.wallet.told.snapshot.nodeId, sats, pushMsat });
    return this.#confirmed(known);
  }

  /** Pays an invoice and waits for its end, which has to be a good one. */
  async pay(invoice: string, amountMsat?: bigint): Promise<string> {
    const { paymentId } = await this.wallet.api.payInvoice({
      invoice,
      ...(amountMsat === undefined ? {} : { amountMsat }),
    });
    await this.sent(paymentId);
    return paymentId;
  }

  async payTo(node: LdkNode, msat: bigint): Promise<string> {
    return this.pay(node.invoice({ msat: Number(msat) }));
  }

  async sent(paymentId: string): Promise<void> {
    const ended = await this.until(
      'the payment ends',
      () => this.wallet.told.eventsOf(paymentId)[0],
      PAYMENT_TIMEOUT_MS,
    );
    assert.equal(ended.kind, 'paymentSent', ended.message);
  }

  /** Has `node` pay an invoice of the wallet. */
  async receiveFrom(node: LdkNode, amountMsat: bigint): Promise<string> {
    const { invoice, paymentHash } = await this.wallet.api.createInvoice({ amountMsat, description: 'a payment' });
    node.pay(invoice);
    await this.received(paymentHash);
    return paymentHash;
  }

  async received(paymentHash: string): Promise<void> {
    const event = await this.until(
      'the payment comes',
      () => this.wallet.told.eventsOf(paymentHash)[0],
      PAYMENT_TIMEOUT_MS,
    );
    assert.equal(event.kind, 'paymentReceived');
  }

  /** Waits until nothing is under way and alice shows the same balance to the msat; gives ours. */
  async agreed(channelId: string = this.channel.channelId): Promise<bigint> {
    const balanceMsat = await this.balanced(channelId);
    this.expectNoForceClose();
    return balanceMsat;
  }

  /** As `agreed`, where force closes were asked for. */
  async balanced(channelId: string): Promise<bigint> {
    await this.until('both sides agree', () => agrees(this.channelOf(channelId), this.#theirs(channelId)));
    return this.channelOf(channelId).balanceMsat;
  }

  /** No channel of either side was closed without both wishing it. */
  expectNoForceClose(): void {
    const reasons = this.channels.filter(({ state }) => state === 'closed' || state === 'frozen').map((c) => c.reason);
    assert.deepEqual(
      reasons.filter((reason) => reason !== 'Closed by agreement.'),
      [],
    );
    const closed = this.world.alice.events().filter((event) => event.kind === 'ChannelClosed');
    assert.deepEqual(
      closed.filter((event) => !/Cooperative/.test(`${event.reason} ${event.detail}`)),
      [],
    );
  }

  /** Waits until the on-chain wallet can spend at least so much. */
  async spendable(sats: bigint): Promise<void> {
    await this.wallet.api.wake();
    await this.until(`${sats} sat on chain`, () => this.wallet.told.snapshot.onchain.spendableSat >= sats);
  }

  #theirs(channelId: string): LdkChannel | undefined {
    return this.world.alice.channels().find((channel) => channel.channelId === channelId);
  }

  async #confirmed(known: ReadonlySet<string>): Promise<string> {
    const confirming = await this.until('the funding is out', () =>
      this.channels.find(({ channelId, state }) => state === 'confirming' && !known.has(channelId)),
    );
    const txid = confirming.fundingTxid;
    await this.until('the funding is seen', () => this.world.chain.find(txid) !== undefined);
    await this.mine(CONFIRMATIONS);
    const { channelId } = confirming;
    await this.until('usable', () => this.channelOf(channelId).usable && this.#theirs(channelId)?.usable === true);
    return channelId;
  }
}

const PAYMENT_TIMEOUT_MS = 30_000;

function agrees(ours: ChannelSummary, theirs: LdkChannel | undefined): boolean {
  if (theirs === undefined || !ours.usable || !theirs.usable) return false;
  if (ours.pendingHtlcs + theirs.pendingInbound + theirs.pendingOutbound > 0) return false;
  const [reserve, capacity] = [reserveMsat(ours), ours.capacitySat * 1000n];
  const shown = (msat: bigint): bigint => (msat > reserve ? msat - reserve : 0n);
  return (
    BigInt(theirs.inboundMsat) === shown(ours.balanceMsat) &&
    BigInt(theirs.outboundMsat) === shown(capacity - ours.balanceMsat)
  );
}
