import type { FundingTerms } from '../../worker/engine/manager/channel-entry.ts';
import { Committer } from '../../worker/client/committer.ts';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { sha256 } from '../../worker/engine/primitives/hash.ts';
import { nobleSecp256k1, type Secp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import { msat, sat } from '../../worker/engine/primitives/units.ts';
import { defaultChannelConfig, type ChannelConfig } from '../../worker/engine/channel/channel-config.ts';
import type { ChannelFeerates } from '../../worker/engine/channel/channel-env.ts';
import type { NodeSigner, SignerProvider } from '../../worker/engine/keys/ports.ts';
import { KeysManager } from '../../worker/engine/keys/keys-manager.ts';
import type { RecordsOrigin } from '../../worker/engine/manager/reconciliation.ts';
import { ChannelManager } from '../../worker/engine/manager/channel-manager.ts';
import type { InterceptionRules } from '../../worker/engine/manager/intercepted-htlcs.ts';
import type { InboundChannelRule } from '../../worker/engine/manager/manager-context.ts';
import type { Effect } from '../../worker/engine/manager/turn.ts';
import { decodeInvoice, encodeInvoice } from '../../worker/engine/payments/bolt11.ts';
import type { Invoice } from '../../worker/engine/payments/invoice.ts';
import { MIN_FINAL_CLTV_EXPIRY_DELTA } from '../../worker/engine/payments/inbound-payment.ts';
import type { HintHop } from '../../worker/engine/routing/route.ts';
import type { Outpoint, Transaction } from '../../worker/engine/transactions/transaction.ts';
import type { TransactionPackage } from '../../worker/engine/transactions/transaction-package.ts';
import { Descriptors } from '../../worker/engine/wallet/descriptors.ts';
import { decodeWallet } from '../../worker/engine/wallet/wallet-record.ts';
import { OnchainWallet } from '../../worker/engine/wallet/wallet.ts';
import { featureSet, type FeatureSet } from '../../worker/engine/wire/features.ts';
import { decodeMessage, encodeMessage, type Message } from '../../worker/engine/wire/message.ts';
import type { CommitTarget } from '../../worker/client/committer.ts';
import type { StoredRecords } from '../../worker/engine/primitives/store.ts';
import { feeratesOf } from '../engine/channel/feerates.ts';

/** What every simulated node asks of those whose payments pass through it. */
export const FORWARDING = { feeBaseMsat: 1_000, feeProportionalMillionths: 1_000, cltvExpiryDelta: 72 } as const;

export const CHAIN_HASH = new Uint8Array(32).fill(6);

/** Everything that the engine speaks with a wallet's peer. */
export const FEATURES: FeatureSet = featureSet({
  option_data_loss_protect: 'compulsory',
  option_upfront_shutdown_script: 'optional',
  option_static_remotekey: 'compulsory',
  payment_secret: 'compulsory',
  basic_mpp: 'optional',
  option_support_large_channel: 'optional',
  option_anchors: 'optional',
  option_shutdown_anysegwit: 'optional',
  option_quiesce: 'optional',
  option_channel_type: 'compulsory',
  option_scid_alias: 'optional',
});

export interface SimulatedStore extends CommitTarget {
  /** Exactly what is durable. */
  readonly records: StoredRecords;
  /** What is durable now below a prefix, by full key. */
  readBelow(prefix: string): Promise<ReadonlyMap<string, Uint8Array>>;
}

export interface SimulatedNodeOptions {
  readonly name: string;
  readonly store: SimulatedStore;
  readonly secp?: Secp256k1;
  readonly config?: ChannelConfig;
  readonly soon?: (callback: () => void) => void;
  readonly now: () => number;
  /** Keys and scripts that were derived before: deriving them is slower than a whole run. */
  readonly keys?: NodeSigner & SignerProvider;
  readonly descriptors?: Descriptors;
  /** Always, where nothing is said. */
  readonly mayCloseAtDeadlines?: () => boolean;
  /** Where the store's records come from; its own unless it is said. */
  readonly origin?: RecordsOrigin;
  /** Nothing, where nothing is said. */
  readonly reserveSat?: (channels: number) => bigint;
  /** Those before the first estimate. */
  readonly feerates?: ChannelFeerates;
  /** Which payments of others its app decides upon; none, where nothing is said. */
  readonly interception?: InterceptionRules;
  /** What the peer is told that this node can do. */
  readonly features?: FeatureSet;
  /** Another way to make the transaction that funds a channel. */
  readonly buildFunding?: (build: BuildFunding) => BuildFunding;
  /** Told of every message that has left, instead of the outbox. */
  readonly deliver?: (bytes: Uint8Array) => void;
  /** Told of what is broadcast, and what with what, instead of `broadcasts`. */
  readonly broadcast?: (transactions: TransactionPackage) => void;
}

export type BuildFunding = OnchainWallet['buildFunding'];

/** An invoice, read. */
export interface ParsedInvoice {
  readonly text: string;
  readonly invoice: Invoice;
}

/** An engine with everything around it but the network, the chain and the clock, which a simulation plays. */
export class SimulatedNode {
  readonly name: string;
  readonly manager: ChannelManager;
  readonly wallet: OnchainWallet;
  readonly keys: NodeSigner & SignerProvider;
  readonly committer: Committer;
  readonly log: string[] = [];
  readonly broadcasts: Uint8Array[] = [];
  /** What left for the other side, in order. */
  readonly outbox: { readonly connectionId: number; readonly bytes: Uint8Array }[] = [];
  readonly disconnects: { readonly connectionId: number; readonly reason: string }[] = [];
  problem: Error | undefined;
  /** How often a page was told that a channel was stopped. */
  freezes = 0;
  /** What it does about channels that its peers open. */
  inboundRule: InboundChannelRule = 'accept';
  isTipFresh = true;
  /** The coins of payments that were taken back. */
  unsettledPayments: readonly (readonly Outpoint[])[] = [];
  readonly #options: SimulatedNodeOptions;
  #counter = 0;

  constructor(options: SimulatedNodeOptions) {
    this.#options = options;
    this.name = options.name;
    const secp = options.secp ?? nobleSecp256k1;
    const seed = new Uint8Array(64).fill(options.name.charCodeAt(0));
    this.keys = options.keys ?? new KeysManager(secp, seed, 'regtest');
    const { records } = options.store;
    const state = records.get('coin/state');
    this.wallet = new OnchainWallet(
      secp,
      options.descriptors ?? new Descriptors(seed, 'regtest'),
      state === undefined ? undefined : decodeWallet(state),
    );
    if (options.buildFunding !== undefined)
      this.wallet.buildFunding = options.buildFunding(this.wallet.buildFunding.bind(this.wallet));
    const started = records.size;
    this.manager = new ChannelManager(
      {
        secp,
        keys: this.keys,
        entropy: { getSecureRandomBytes: () => this.#random(started) },
        wallet: this.wallet,
        filter: { registerTx: () => {}, registerOutput: () => {}, unregisterOutput: () => {} },
        config: this.config,
        forwarding: FORWARDING,
        interception: options.interception,
        interceptKey: sha256(this.keys.nodeId),
        chainHash: CHAIN_HASH,
        trustedForZeroConf: () => false,
        inboundChannels: () => this.inboundRule,
        reserveSat: options.reserveSat ?? (() => 0n),
        mayCloseAtDeadlines: options.mayCloseAtDeadlines ?? (() => true),
        unsettledPayments: () => this.unsettledPayments,
        isTipFresh: () => this.isTipFresh,
        channelFrozen: () => void this.freezes++,
        log: (line) => this.log.push(line),
      },
      options.feerates ?? feeratesOf(1000),
    );
    this.committer = new Committer({
      target: options.store,
      soon: options.soon ?? queueMicrotask,
      release: (effects) => effects.forEach((effect) => this.#leave(effect)),
      endCommit: (updates) => this.manager.endCommit(options.now(), updates),
      completed: (updates) => {
        if (updates.length === 0) return;
        this.turn(() => {
          for (const { channelKey, updateId } of updates) this.manager.channelMonitorUpdated(channelKey, updateId);
        });
      },
      failed: (error) => (this.problem = error),
      threw: (error) => {
        throw error;
      },
    });
    if (records.size > 0) {
      this.manager.load(records, options.origin);
      this.turn(() => this.manager.resume());
    }
  }

  /** The chain's height is known: what was held back for it is decided upon. */
  synced(): void {
    this.turn(() => this.manager.decideAccepted());
  }

  get features(): FeatureSet {
    return this.#options.features ?? FEATURES;
  }

  get config(): ChannelConfig {
    return this.#options.config ?? defaultChannelConfig;
  }

  get nodeId(): string {
    return toHex(this.keys.nodeId);
  }

  turn<T>(work: () => T): T {
    const { value, result } = this.manager.run(this.#options.now(), work);
    this.committer.submit(result);
    return value;
  }

  /** As a user who has seen every event: written with the next commit. */
  acknowledgeAll(): void {
    const { result } = this.manager.run(this.#options.now(), () => {
      for (const { id } of this.manager.pendingEvents()) this.manager.acknowledgeEvent(id);
    });
    this.committer.submitLazily(result);
  }

  connect(peer: SimulatedNode, connectionId: number): void {
    this.turn(() => this.manager.peerConnected(peer.nodeId, connectionId, peer.features));
  }

  receive(peer: SimulatedNode, connectionId: number, bytes: Uint8Array): void {
    const message = decodeMessage(bytes) as Message;
    this.turn(() => this.manager.receive(peer.nodeId, connectionId, message));
  }

  invoice(amountMsat: bigint, routeHints: readonly (readonly HintHop[])[] = []): string {
    const preimage = this.#random(1);
    const paymentSecret = this.#random(2);
    const now = this.#options.now();
    const paymentHash = sha256(preimage);
    const invoiceText = encodeInvoice((hash) => this.keys.signInvoice(hash), {
      network: 'regtest',
      amountMsat,
      timestamp: Math.floor(now / 1000),
      paymentHash,
      paymentSecret,
      description: { kind: 'text', text: '' },
      expirySeconds: 3600,
      minFinalCltvExpiryDelta: MIN_FINAL_CLTV_EXPIRY_DELTA,
      fallbackAddresses: [],
      routeHints,
      features: featureSet({ var_onion_optin: 'compulsory', payment_secret: 'compulsory', basic_mpp: 'optional' }),
    });
    this.turn(() =>
      this.manager.addInvoice({
        paymentHash,
        preimage,
        paymentSecret,
        amountMsat: msat(amountMsat),
        description: '',
        invoiceText,
        createdAt: now,
        expiresAt: now + 3_600_000,
        received: undefined,
      }),
    );
    return invoiceText;
  }

  pay(invoiceText: string): string {
    return this.payParsed(this.parse(invoiceText));
  }

  parse(text: string): ParsedInvoice {
    return { text, invoice: decodeInvoice(this.#options.secp ?? nobleSecp256k1, text) };
  }

  payParsed({ text, invoice }: ParsedInvoice): string {
    return this.turn(() => this.manager.sendPayment(invoice, text, msat(invoice.amountMsat ?? 0n)));
  }

  open(peer: SimulatedNode, amountSat: bigint, pushMsat = 0n, terms: FundingTerms = {}): string {
    return this.turn(() => this.manager.openChannel(peer.nodeId, sat(amountSat), msat(pushMsat), terms));
  }

  quoteOpen(peer: SimulatedNode, amountSat: bigint, terms: FundingTerms): bigint {
    return this.manager.quoteOpenChannel(peer.nodeId, sat(amountSat), msat(0n), terms);
  }

  confirm(height: number, transactions: readonly Transaction[]): void {
    this.turn(() => {
      for (const transaction of transactions) this.wallet.transactionConfirmed(transaction, height);
      this.wallet.bestBlockUpdated(height);
      this.manager.transactionsConfirmed(
        height,
        // The first of a block is the coinbase, which is nobody's here.
        transactions.map((transaction, index) => ({ index: index + 1, transaction })),
      );
      this.manager.bestBlockUpdated(height);
    });
  }

  #leave(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        if (this.#options.deliver !== undefined) this.#options.deliver(encodeMessage(effect.message));
        else this.outbox.push({ connectionId: effect.connectionId, bytes: encodeMessage(effect.message) });
        return;
      case 'disconnect':
        this.disconnects.push({ connectionId: effect.connectionId, reason: effect.reason });
        return;
      case 'broadcast':
        if (this.#options.broadcast !== undefined) this.#options.broadcast(effect.transactions);
        else this.broadcasts.push(...effect.transactions);
        return;
      case 'readRevoked':
        return void this.#readRevoked(effect);
      case 'event':
        return;
      default:
        effect satisfies never;
    }
  }

  async #readRevoked({ channelKey, recordKey }: Extract<Effect, { kind: 'readRevoked' }>): Promise<void> {
    const records = await this.#options.store.readBelow(recordKey);
    this.turn(() => this.manager.revokedRead(channelKey, recordKey, records.get(recordKey)));
  }

  #random(salt: number): Uint8Array {
    const text = `${this.name}${salt}/${this.#counter++}/${this.#options.now()}`;
    return sha256(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  }
}
