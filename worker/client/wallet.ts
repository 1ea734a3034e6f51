import { openStore } from '../edges/storage/indexeddb-store.ts';
import { checkMarker, nextEpoch, readMarker, requestPersistence, writeMarker } from '../edges/storage/wallet-marker.ts';
import type { Store } from '../edges/storage/store.ts';
import { checkedMnemonic, mnemonicOf } from '../engine/keys/mnemonic.ts';
import type { ChannelManager } from '../engine/manager/channel-manager.ts';
import type { EngineEvent } from '../engine/manager/engine-event.ts';
import type { InterceptedHtlc } from '../engine/manager/intercepted-htlcs.ts';
import type { RecordsOrigin } from '../engine/manager/reconciliation.ts';
import { lastHeight } from '../engine/manager/relayed-htlc.ts';
import { toHex } from '../engine/primitives/bytes.ts';
import { GlowwormError } from '../engine/primitives/errors.ts';
import { perKwOfVbyte } from '../engine/primitives/feerates.ts';
import { msat, sat, type Msat } from '../engine/primitives/units.ts';
import { formatShortChannelId } from '../engine/wire/short-channel-id.ts';
import { activityOf } from './activity.ts';
import { configuredChain } from './configured-chain.ts';
import type {
  ChannelOpening,
  OpenQuote,
  Activity,
  CloseQuote,
  InterceptedPayment,
  InvoiceSummary,
  OnchainQuote,
  OnchainSent,
  PaymentQuote,
  PeerConfig,
  ReplacementQuote,
  WalletApi,
  WalletConfig,
  WalletEvent,
  WalletSnapshot,
  WalletUpdate,
} from './api.ts';
import type { ServedWallet } from './endpoint.ts';
import { quoteFound, type SweepRequest } from './found-coins.ts';
import { newInvoice, type InvoiceRequest } from './invoice-creation.ts';
import { amountToPay, readInvoice, summaryOf, type ReadInvoice } from './invoice-payment.ts';
import { LightningNode } from './lightning-node.ts';
import { Log } from './log.ts';
import { quoteChild } from './onchain-child.ts';
import { quoteOnchain, type OnchainRequest } from './onchain-payment.ts';
import { quoteReplacing, type ReplacementRequest } from './onchain-replacement.ts';
import { platformOf, type WalletPlatform } from './platform.ts';
import { decodeWalletSecret, encodeWalletSecret, WALLET_KEY, type WalletSecret } from './wallet-records.ts';
import { emptySnapshot, snapshotOf } from './wallet-snapshot.ts';

/** Snapshots of one burst of changes are one. */
const SNAPSHOT_DELAY_MS = 40;
/**
 * 2024. A restored wallet does not know which channel keys its words have been used for: it goes on from the minutes since
 * then, which is more than the channels that anybody can have opened.
 */
const KEYS_EPOCH_MS = 1_704_067_200_000;

/** Opens the wallet of a configuration in a worker's global scope. */
export const openWallet = (config: WalletConfig, scope: typeof globalThis): Promise<ServedWallet> =>
  openWalletOn(config, platformOf(scope));

/**
 * Opens the database and starts the wallet that is in it; without one the wallet is `empty` until it is created or
 * restored. Rejects with `ArgumentInvalid`, what `openStore` rejects with, `StorageLost` where a wallet was and its database is gone, and
 * `WalletOtherNetwork`.
 */
export async function openWalletOn(config: WalletConfig, platform: WalletPlatform): Promise<ServedWallet> {
  configuredChain(config);
  const name = `glowworm-${config.name ?? 'default'}`;
  const store = await openStore({ name });
  try {
    const stored = store.records.get(WALLET_KEY);
    const marker = await readMarker(platform.storage, name);
    const lost = checkMarker(stored !== undefined, marker);
    if (lost !== undefined) throw lost;
    const wallet = new Wallet(config, platform, store, name);
    if (stored !== undefined) await wallet.resume(decodeWalletSecret(stored), nextEpoch(marker, store.epoch));
    return wallet;
  } catch (error) {
    store.close();
    throw error;
  }
}

class Wallet implements ServedWallet {
  readonly #config: WalletConfig;
  readonly #platform: WalletPlatform;
  readonly #store: Store;
  readonly #name: string;
  readonly #log: Log;
  readonly #listeners = new Set<(update: WalletUpdate) => void>();
  #secret: WalletSecret | undefined;
  #node: LightningNode | undefined;
  #pendingSnapshot: unknown;

  constructor(config: WalletConfig, platform: WalletPlatform, store: Store, name: string) {
    this.#config = config;
    this.#platform = platform;
    this.#store = store;
    this.#name = name;
    this.#log = new Log(() => platform.timers.now());
  }

  /** `epoch` is what `nextEpoch` says of the store. */
  async resume(secret: WalletSecret, epoch: number): Promise<void> {
    if (secret.network !== this.#config.network || secret.challenge !== this.#config.signet?.challenge)
      throw new GlowwormError(
        'WalletOtherNetwork',
        `This wallet is on ${secret.network}${secret.challenge === undefined ? '' : ' with a challenge of its own'}; open it with that network.`,
        {
          network: secret.network,
        },
      );
    const origin: RecordsOrigin = epoch > this.#store.epoch ? 'copy' : 'ownStore';
    this.#secret = secret;
    this.#node = new LightningNode({
      config: this.#config,
      secret,
      platform: this.#platform,
      store: this.#store,
      origin,
      log: this.#log.write,
      changed: () => this.#changed(),
      event: (event) => this.#tell({ kind: 'event', event: walletEvent(event) }),
    });
    if (origin === 'copy') this.#log.write('the database is older than the one that was here before');
    // What is marked as a copy is that durably before anything says that this is the newest.
    await this.#node.start();
    if (this.#node.problem === undefined) await this.#noteEpoch(epoch);
    this.#log.write(`storage persistence: ${await requestPersistence(this.#platform.storage)}`);
    this.#changed();
  }

  snapshot(): WalletSnapshot {
    return this.#node === undefined ? emptySnapshot(this.#config) : snapshotOf(this.#config, this.#node);
  }

  subscribe(listener: (update: WalletUpdate) => void): () => void {
    this.#listeners.add(listener);
    listener({ kind: 'snapshot', snapshot: this.snapshot() });
    for (const event of this.#node?.events.told() ?? []) listener({ kind: 'event', event: walletEvent(event) });
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#platform.timers.clearTimeout(this.#pendingSnapshot);
    this.#listeners.clear();
    await this.#node?.stop();
    this.#store.close();
  }

  async createWallet(): Promise<{ readonly mnemonic: string }> {
    const mnemonic = mnemonicOf(this.#platform.entropy.getSecureRandomBytes().slice(0, 16));
    await this.#begin({ mnemonic, searched: true, firstKeysIndex: 0 });
    return { mnemonic };
  }

  restoreWallet({ mnemonic }: { readonly mnemonic: string }): Promise<void> {
    const firstKeysIndex = Math.floor((this.#platform.timers.now() - KEYS_EPOCH_MS) / 60_000);
    return this.#begin({ mnemonic: checkedMnemonic(mnemonic), searched: false, firstKeysIndex });
  }

  showMnemonic(): string {
    if (this.#secret === undefined) throw noWallet();
    return this.#secret.mnemonic;
  }

  async connectPeer(peer: PeerConfig): Promise<void> {
    await this.#running().peers.connect(peer);
  }

  disconnectPeer({ nodeId }: { readonly nodeId: string }): void {
    this.#running().peers.disconnect(nodeId);
  }

  async forgetPeer({ nodeId }: { readonly nodeId: string }): Promise<void> {
    await this.#running().peers.forget(nodeId);
  }

  async openChannel(
    request: ChannelOpening & { readonly maxFeeSat?: bigint },
  ): Promise<{ readonly temporaryChannelId: string }> {
    const node = this.#funding();
    const temporaryChannelId = await node.turns.durably(() => node.manager.openChannel(...openingOf(request)));
    return { temporaryChannelId };
  }

  quoteOpenChannel(request: ChannelOpening): OpenQuote {
    return { feeSat: this.#funding().manager.quoteOpenChannel(...openingOf(request)) };
  }

  /** The node, where it is known what a funding costs. */
  #funding(): LightningNode {
    const node = this.#running();
    if (node.chain.feeratesAreStale)
      throw new GlowwormError(
        'FeeratesUnknown',
        'The Esplora server has told no fee estimates for an hour. Try again once it can be reached.',
      );
    return node;
  }

  newInterceptScid(): { readonly shortChannelId: string } {
    return { shortChannelId: formatShortChannelId(this.#running().manager.forwards.intercepted.newScid()) };
  }

  interceptedHtlcs(): readonly InterceptedPayment[] {
    return this.#running().manager.forwards.intercepted.all().map(interceptedPayment);
  }

  async forwardIntercepted(request: Parameters<WalletApi['forwardIntercepted']>[0]): Promise<void> {
    const node = this.#running();
    await node.turns.durably(() =>
      node.manager.forwards.forwardIntercepted(request.interceptId, request.channelId, request.amountMsat),
    );
  }

  async failIntercepted({ interceptId }: { readonly interceptId: string }): Promise<void> {
    const node = this.#running();
    await node.turns.durably(() => node.manager.forwards.failIntercepted(interceptId));
  }

  quoteClose({ channelId }: { readonly channelId: string }): CloseQuote {
    return this.#running().manager.quoteClose(channelId);
  }

  async closeChannel(request: { readonly channelId: string; readonly maxFeeSat?: bigint }): Promise<void> {
    const node = this.#running();
    await node.turns.durably(() => node.manager.closeChannel(request.channelId, request.maxFeeSat));
  }

  async forceCloseChannel({
    channelId,
    ...consent
  }: {
    readonly channelId: string;
    readonly unconfirmedState?: boolean;
  }): Promise<void> {
    const node = this.#running();
    await node.turns.durably(() => node.manager.forceCloseChannel(channelId, consent));
  }

  async acceptInboundChannel({ temporaryChannelId }: { readonly temporaryChannelId: string }): Promise<void> {
    const node = this.#running();
    await node.turns.durably(() => node.manager.acceptInboundChannel(temporaryChannelId));
  }

  async refuseInboundChannel({ temporaryChannelId }: { readonly temporaryChannelId: string }): Promise<void> {
    const node = this.#running();
    await node.turns.durably(() => node.manager.refuseInboundChannel(temporaryChannelId));
  }

  async createInvoice(request: InvoiceRequest): Promise<{ readonly invoice: string; readonly paymentHash: string }> {
    const node = this.#running();
    const payment = newInvoice(node, request, this.#platform);
    await node.turns.durably(() => node.manager.addInvoice(payment));
    return { invoice: payment.invoiceText, paymentHash: toHex(payment.paymentHash) };
  }

  decodeInvoice({ invoice }: { readonly invoice: string }): InvoiceSummary {
    return summaryOf(readInvoice(invoice, this.#config.network).decoded, this.#platform.timers.now());
  }

  quotePayment(request: { readonly invoice: string; readonly amountMsat?: bigint }): PaymentQuote {
    const { manager } = this.#running();
    const { decoded, amountMsat } = this.#payable(request);
    return { amountMsat, ...manager.outboundPayments.quote(decoded, amountMsat, manager.blockHeight) };
  }

  async payInvoice(request: {
    readonly invoice: string;
    readonly amountMsat?: bigint;
    readonly maxFeeMsat?: bigint;
  }): Promise<{ readonly paymentId: string }> {
    const node = this.#running();
    const { decoded, text, amountMsat } = this.#payable(request);
    const most = request.maxFeeMsat === undefined ? undefined : msat(request.maxFeeMsat);
    const paymentId = await node.turns.durably(() => node.manager.sendPayment(decoded, text, amountMsat, most));
    return { paymentId };
  }

  activity({ limit }: { readonly limit: number }): readonly Activity[] {
    return this.#node === undefined ? [] : activityOf(this.#node, this.#platform.timers.now(), limit);
  }

  async newAddress({
    type,
    label = '',
  }: {
    readonly type: 'p2wpkh' | 'p2tr';
    readonly label?: string;
  }): Promise<{ readonly address: string }> {
    const node = this.#running();
    const address = await node.turns.durably(() => {
      const made = node.wallet.newAddress(type === 'p2tr' ? 'taproot' : 'receive');
      if (label !== '') node.rows.labels.save(made, label);
      return made;
    });
    node.watchScripts();
    return { address };
  }

  quoteOnchain(request: OnchainRequest): OnchainQuote {
    return quoteOnchain(this.#running().payer, request);
  }

  async sendOnchain(request: OnchainRequest): Promise<OnchainSent> {
    return this.#running().payments.pay(request);
  }

  quoteSweepFound(): OnchainQuote {
    return quoteFound(this.#running().payer);
  }

  async sweepFound(request: SweepRequest): Promise<OnchainSent> {
    const node = this.#running();
    const swept = await node.payments.sweep(request);
    node.watchScripts();
    return swept;
  }

  async quoteBump(request: ReplacementRequest): Promise<ReplacementQuote> {
    const { payer, chain } = this.#running();
    if (payer.onchainSend(request.txid) !== undefined) return quoteReplacing(payer, 'replace', request);
    return quoteChild(payer, request, await chain.paidBy(request.txid));
  }

  async bumpOnchain(request: ReplacementRequest): Promise<OnchainSent> {
    const { payer, payments, chain } = this.#running();
    if (payer.onchainSend(request.txid) !== undefined) return payments.replace('replace', request);
    return payments.hurry(request, await chain.paidBy(request.txid));
  }

  quoteCancel(request: ReplacementRequest): ReplacementQuote {
    return quoteReplacing(this.#running().payer, 'cancel', request);
  }

  async cancelOnchain(request: ReplacementRequest): Promise<OnchainSent> {
    return this.#running().payments.replace('cancel', request);
  }

  acknowledgeEvent({ id }: { readonly id: string }): void {
    const node = this.#running();
    node.acknowledgeEvent(Number(id));
  }

  exportLog(): string {
    return this.#log.text(this.#node?.background.reports);
  }

  wake(): void {
    this.#node?.wake();
  }

  async #begin(made: Omit<WalletSecret, 'network' | 'challenge'>): Promise<void> {
    if (this.#secret !== undefined)
      throw new GlowwormError('WalletExists', 'There is a wallet already: it would be lost if it were replaced.');
    const { network, signet } = this.#config;
    const secret: WalletSecret = { ...made, network, ...(signet === undefined ? {} : { challenge: signet.challenge }) };
    this.#secret = secret;
    try {
      await this.#store.commit(new Map([[WALLET_KEY, encodeWalletSecret(secret)]]));
    } catch (error) {
      this.#secret = undefined;
      throw error;
    }
    await this.resume(secret, this.#store.epoch);
  }

  /**
   * The marker first: what a start in between finds is a copy once more, which costs nothing. From here on the channels' own marks
   * say what is known of them.
   */
  async #noteEpoch(epoch: number): Promise<void> {
    const isNoted = await writeMarker(this.#platform.storage, this.#name, epoch);
    // Where that is not written, it is a copy once more, too.
    if (isNoted && epoch > this.#store.epoch) await this.#store.raiseEpoch(epoch).catch(() => undefined);
  }

  #payable(request: {
    readonly invoice: string;
    readonly amountMsat?: bigint;
  }): ReadInvoice & { readonly amountMsat: Msat } {
    const invoice = readInvoice(request.invoice, this.#config.network);
    const payer = { nodeId: this.#running().keys.nodeId, now: this.#platform.timers.now() };
    return { ...invoice, amountMsat: amountToPay(invoice.decoded, request.amountMsat, payer) };
  }

  #running(): LightningNode {
    if (this.#node === undefined) throw noWallet();
    if (this.#node.problem !== undefined) throw this.#node.problem;
    return this.#node;
  }

  #changed(): void {
    this.#pendingSnapshot ??= this.#platform.timers.setTimeout(() => {
      this.#pendingSnapshot = undefined;
      this.#tell({ kind: 'snapshot', snapshot: this.snapshot() });
    }, SNAPSHOT_DELAY_MS);
  }

  #tell(update: WalletUpdate): void {
    for (const listener of this.#listeners) listener(update);
  }
}

function openingOf({
  nodeId,
  amountSat,
  pushMsat = 0n,
  feeratePerVbyte,
  maxFeeSat,
}: ChannelOpening & { readonly maxFeeSat?: bigint }): Parameters<ChannelManager['openChannel']> {
  return [
    nodeId.toLowerCase(),
    sat(amountSat),
    msat(pushMsat),
    {
      ...(feeratePerVbyte === undefined ? {} : { feeratePerKw: perKwOfVbyte(feeratePerVbyte) }),
      ...(maxFeeSat === undefined ? {} : { maxFeeSat }),
    },
  ];
}

const interceptedPayment = ({ interceptId, relayed }: InterceptedHtlc): InterceptedPayment => ({
  interceptId,
  paymentHash: toHex(relayed.htlc.paymentHash),
  shortChannelId: formatShortChannelId(relayed.shortChannelId),
  inboundMsat: relayed.htlc.amountMsat,
  outboundMsat: relayed.amtToForward,
  expiresAtHeight: lastHeight(relayed),
});

const walletEvent = (event: EngineEvent): WalletEvent => ({ ...event, id: String(event.id) });

const noWallet = (): GlowwormError =>
  new GlowwormError('WalletMissing', 'There is no wallet yet: create one or restore one from its words.');
