/** The chains that a wallet can be on; `testnet` is the third. */
export type NetworkName = 'bitcoin' | 'testnet' | 'testnet4' | 'signet' | 'mutinynet' | 'regtest';

/**
 * A signet that is not the default one (BIP 325). All signets have one genesis block, so one `chain_hash`, and the same prefixes of
 * addresses and invoices: peers of another are only told apart by their channels' fundings not being in the chain.
 */
export interface SignetConfig {
  /** The script that its blocks are signed for, in hex. It names the signet: a wallet of one is not opened on another. */
  readonly challenge: string;
  /** Seconds between its blocks, 600 where nobody has changed them. */
  readonly blockSeconds: number;
}

/** A block that is taken as given. */
export interface CheckpointConfig {
  readonly height: number;
  /** As explorers show it. */
  readonly hash: string;
}

/** How a peer is reached from a browser, which has no TCP. */
export type PeerAddress =
  /** The peer speaks WebSocket itself: `wss://host:port`. */
  | { readonly kind: 'websocket'; readonly url: string }
  /** `{proxy}/v1/{host_with_underscores}/{port}` */
  | { readonly kind: 'proxyV1'; readonly proxyUrl: string; readonly host: string; readonly port: number }
  /** `{proxy}/{host}:{port}` */
  | { readonly kind: 'proxyHostPort'; readonly proxyUrl: string; readonly host: string; readonly port: number };

export interface PeerConfig {
  /** 33 bytes in hex. */
  readonly nodeId: string;
  readonly address: PeerAddress;
  /** Channels of this peer may be used before they confirm: it could take the money back by a double spend. */
  readonly trustedForZeroConf?: boolean;
}

export interface WalletConfig {
  readonly network: NetworkName;
  /** With the network `signet`: another than the default one. */
  readonly signet?: SignetConfig;
  /**
   * With `signet`, or on `mutinynet`: the block whose followers are proven instead of all. Without one a new wallet gets every
   * header of such a chain, and a signet is not told from another one.
   */
  readonly checkpoint?: CheckpointConfig;
  /** Base URLs of Esplora servers. All are asked: what one does not tell, another may. */
  readonly esploraUrls: readonly string[];
  /** The most requests to each of them in ten seconds, 60 by default; one on this machine counts none. */
  readonly requestsPer10s?: number;
  /** Peers to stay connected with from the start; more come with `connectPeer`. */
  readonly peers?: readonly PeerConfig[];
  /**
   * Which channels of peers are accepted, within the wallet's limits: every one (the default), those of `peers` and of peers
   * that a channel is open with, or each after the app has answered a `channelRequested` event.
   */
  readonly inboundChannels?: 'all' | 'knownPeers' | 'ask';
  /**
   * Passes payments of others on, from one of its peers to another, for a fee in msat and in millionths of the amount. The inbound HTLC
   * expires so many blocks after the outbound one: 48 at least. Without it nothing is passed on.
   */
  readonly forwarding?: {
    readonly feeBaseMsat: number;
    readonly feeProportionalMillionths: number;
    readonly cltvExpiryDelta: number;
  };
  /**
   * Which of those the app decides upon, each after a `htlcIntercepted` event: over a channel that there is not, to a peer that is away,
   * to peers by their node ids in hex; and, whatever is said here, over a name that `newInterceptScid` gave. Without it none is held.
   */
  readonly interception?: {
    readonly unknownScids?: boolean;
    readonly offlinePeers?: boolean;
    readonly peers?: readonly string[];
  };
  /** Name of the database; several wallets of one origin need several. */
  readonly name?: string;
}

/** What the whole wallet looks like at one moment. Amounts are bigint, ids hex. */
export interface WalletSnapshot {
  /** `empty`: no wallet yet, call `createWallet` or `restoreWallet`. `frozen`: storage failed, nothing leaves any more. */
  readonly status: 'empty' | 'running' | 'frozen';
  readonly network: NetworkName;
  /** Empty while there is no wallet. */
  readonly nodeId: string;
  readonly chain: ChainStatus;
  /**
   * All that is ours: `sendableMsat`, `reservedMsat` and `pendingMsat` of `lightning`, and every number of `onchain` but
   * `confirmedSat`. Whatever a close does, only payments and fees change it.
   */
  readonly totalMsat: bigint;
  readonly lightning: LightningBalance;
  readonly onchain: OnchainBalance;
  /** All that are known, also those that are not connected now. */
  readonly peers: readonly PeerSummary[];
  readonly channels: readonly ChannelSummary[];
  /** The error that stopped the wallet, with `frozen`. */
  readonly problem?: ApiError;
}

export interface ChainStatus {
  readonly kind: 'connecting' | 'syncing' | 'synced' | 'unreachable';
  /** Of the newest block that the wallet has taken in; 0 before the first. */
  readonly blockHeight: number;
  /** On a long way to the tip: how far the chain is proven. */
  readonly headerHeight?: number;
  /** How many of the servers have told of the newest block, and of all that the wallet looks for at it; with `synced`. */
  readonly servers?: { readonly agreeing: number; readonly of: number };
  /**
   * The newest block is older than an hour on networks of ten minutes a block: for so long none came, servers show old ones only,
   * or the device's clock is wrong. `stopped`, after two: until the next one no payments and no channels are begun, and none are
   * taken; what is under way goes on.
   */
  readonly stale?: { readonly minutes: number; readonly stopped: boolean };
  /**
   * How many transactions of ours a server took that no other has shown for minutes, where there are several servers: that one may
   * have kept them to itself. They are sent again.
   */
  readonly unseen?: number;
  /**
   * With `unreachable`: why the chain source does not answer. With `syncing`: why no server tells of some addresses; all that is in
   * channels is known then.
   */
  readonly problem?: ApiError;
}

/** What is in channels that are open. Nothing is in two of the first three. */
export interface LightningBalance {
  /** Can be sent now. */
  readonly sendableMsat: bigint;
  /** Ours, but kept as channel reserves and for fees, or in channels that are not ready. */
  readonly reservedMsat: bigint;
  /** In payments under way: of ours, until the payee shows that it was paid, and to us, once they are ours. */
  readonly pendingMsat: bigint;
  /** Can be received now; it is not ours. */
  readonly receivableMsat: bigint;
}

/** What is, or comes, on chain. No satoshi is in two of these, but for `confirmedSat`. */
export interface OnchainBalance {
  readonly spendableSat: bigint;
  /** Coins that could be spent, but are kept for fees of a channel's close, or locked for a funding. */
  readonly reservedSat: bigint;
  /** Coins that cannot be spent yet: not confirmed, or not mature. */
  readonly unconfirmedSat: bigint;
  /** What closed channels still owe for certain, before the fees of getting it. */
  readonly sweepingSat: bigint;
  /** Payments of ours that were under way when their channel closed: they come back, or have been made. */
  readonly maybeSat: bigint;
  /** Confirmed coins on BIP 44 and 49 addresses of the same words: nothing is paid with them, `sweepFound` takes them over. */
  readonly foundSat: bigint;
  /** How much of the coins, whichever of the first three they are in, is confirmed. */
  readonly confirmedSat: bigint;
  /** While a payment of many coins is signed; its coins are among `reservedSat`. */
  readonly signing?: SigningProgress;
}

/** How many inputs of a payment are signed. */
export interface SigningProgress {
  readonly done: number;
  readonly of: number;
}

export interface PeerStatus {
  readonly nodeId: string;
  /** `connected` only after both sides' `init`. */
  readonly state: 'connecting' | 'connected' | 'disconnected';
  /** The newest `error` or `warning` of the peer, or why no connection came about. */
  readonly problem?: ApiError;
}

/** A peer that the wallet knows, connected or not. */
export interface PeerSummary extends PeerStatus {
  readonly address: PeerAddress;
  readonly trustedForZeroConf: boolean;
  /** Whether `forgetPeer` would do it. */
  readonly forgettable: boolean;
}

export interface ChannelSummary {
  readonly channelId: string;
  readonly peerNodeId: string;
  /**
   * `opening`: negotiating. `confirming`: waits for blocks. `ready`: usable while the peer is connected. `closing`: a
   * cooperative close is under way. `closed`: nothing is paid over it any more; `reason` says whether a transaction of ours is
   * out, the peer's is waited for (where this device has an old state), or the funding never came. `frozen`: stopped by an
   * error of this program: no messages and no new states; it can be closed alone, and what is ours is claimed on chain.
   */
  readonly state: 'opening' | 'confirming' | 'ready' | 'closing' | 'closed' | 'frozen';
  readonly usable: boolean;
  readonly weOpened: boolean;
  readonly capacitySat: bigint;
  /** What is ours in it; of a closed one what of it is no coin of the wallet yet, as `sweepingSat` and `maybeSat` count it. */
  readonly balanceMsat: bigint;
  readonly sendableMsat: bigint;
  readonly receivableMsat: bigint;
  readonly reserveSat: bigint;
  readonly pendingHtlcs: number;
  readonly confirmations: number;
  /** Those that the two sides agreed upon; 100 where a block's own reward funds the channel. */
  readonly confirmationsRequired: number;
  /** As explorers print it; empty before the funding exists. */
  readonly fundingTxid: string;
  /**
   * The peer has confirmed since the start that this device has the newest state. Without that, `forceCloseChannel` asks for a
   * second yes: the wallet could be an older copy.
   */
  readonly stateConfirmed: boolean;
  /** `forceCloseChannel` could do something, also for a `closed` one whose transaction does not confirm. */
  readonly forceClosable: boolean;
  /** Why it closed, or what stopped it or holds it up, as a sentence. */
  readonly reason?: string;
  /** What becomes of its money, with `closed`. */
  readonly closing?: ChannelClosing;
}

/** What becomes of the money of a closed channel: what is left of it, and what each step brought and cost. */
export interface ChannelClosing {
  /** `nobody`: it was never funded, and nothing was in it. */
  readonly closedBy: 'us' | 'peer' | 'both' | 'nobody';
  /** The transaction that closes it, or is expected to, as explorers print it. */
  readonly txid: string;
  readonly confirmations: number;
  /** What was ours before the close. */
  readonly heldMsat: bigint;
  /** What the closing transaction took of it for its fee, with what was too small for an output of its own. */
  readonly feeMsat: bigint;
  /** What is still to come, and what may. */
  readonly balances: readonly ClosingBalance[];
  /** Our transactions after the closing one, in the order of the chain; those that are not confirmed last. */
  readonly steps: readonly ClosingStep[];
  /** What came beside what was ours, out of an old state that the peer broadcast; negative where the peer took something. */
  readonly gainMsat: bigint;
}

/** One output of a close, by LDK's names. */
export interface ClosingBalance {
  /**
   * `claimableOnChannelClose`: ours once the closing transaction is confirmed. `claimableAwaitingConfirmations`: ours, and comes
   * in the block at `height` at the earliest. `contentiousClaimable`: a payment to us, that the peer could take back from `height`
   * on. `maybeTimeoutClaimable`: a payment of ours, which comes back from `height` on unless it was made.
   * `maybePreimageClaimable`: a payment to us that is not complete, and the peer's from `height` on. `counterpartyRevoked`: out
   * of an old state of the channel that the peer broadcast.
   */
  readonly kind:
    | 'claimableOnChannelClose'
    | 'claimableAwaitingConfirmations'
    | 'contentiousClaimable'
    | 'maybeTimeoutClaimable'
    | 'maybePreimageClaimable'
    | 'counterpartyRevoked';
  /** Before the fee of getting it. */
  readonly amountSat: bigint;
  readonly height?: number;
}

/** A transaction of ours after a close. */
export interface ClosingStep {
  /** `feeBump`: coins of ours pay for the closing transaction. `claim`: takes something out of the close. */
  readonly kind: 'feeBump' | 'claim';
  /** As explorers print it. */
  readonly txid: string;
  readonly confirmations: number;
  /** What it brought to the on-chain wallet; negative where coins of the wallet paid for it. */
  readonly broughtSat: bigint;
  /** Its fee, as far as it is ours; below zero where the anchor that a fee bump spends is worth more. */
  readonly costSat: bigint;
}

export type PaymentState = 'pending' | 'succeeded' | 'failed';

/**
 * One line of the activity list. What was received, less what was sent and less all fees, is `totalMsat`: `sent` that is pending
 * or has failed was not sent, what is pending on chain counts, what has failed or was replaced there does not, and the amounts of
 * `channelOpened`, `channelClosed` and `channelClaimed` only move from one number to another.
 */
export interface Activity {
  readonly id: string;
  readonly kind:
    | 'sent'
    | 'received'
    | 'invoice'
    | 'onchainReceived'
    /** The amount is 0 where it went to this wallet itself. */
    | 'onchainSent'
    /** Coins became a channel of ours; the fee is that of the funding. */
    | 'channelOpened'
    /** The amount is what comes back. */
    | 'channelClosed'
    /** A transaction that takes something out of a close, or whose fee pays for one. */
    | 'channelClaimed';
  /** `replaced`, of `onchainSent`: another one has taken its place, and only that one counts. */
  readonly state: PaymentState | 'open' | 'expired' | 'replaced';
  readonly amountMsat: bigint;
  /** Of `channelClaimed` below zero where an anchor was worth more than the fee. */
  readonly feeMsat: bigint;
  /** Of `onchainSent` the addresses that were paid, with a comma and a space between them. */
  readonly description: string;
  /** What its owner has called it. */
  readonly label?: string;
  /**
   * Milliseconds since 1970; 0 where nobody knows it. Of what comes by the chain: its block's time, and before it is in one
   * the moment at which the wallet first saw it.
   */
  readonly at: number;
  /**
   * Why it failed and what to do, with `failed`. An `onchainSent` that is pending can have one too: no other server shows it, or it
   * is refused. One that has failed as it was refused can succeed all the same; what is paid after it then did not, and says so.
   */
  readonly problem?: ApiError;
}

/** Something that happened and must not be missed: delivered again after a restart until it is acknowledged. */
export interface WalletEvent {
  readonly id: string;
  readonly kind:
    | 'paymentSent'
    | 'paymentFailed'
    | 'paymentReceived'
    | 'channelOpened'
    | 'channelReady'
    | 'channelClosed'
    | 'channelOpenFailed'
    /** A peer wants to open a channel (`inboundChannels: 'ask'`); `message` is its node id. */
    | 'channelRequested'
    /** A payment of others waits for the app's decision: `subject` is its `interceptId`, and `interceptedHtlcs` tells the rest. */
    | 'htlcIntercepted';
  /** The payment hash, the intercept id or the channel id; of a channel that is not open yet the temporary one. */
  readonly subject: string;
  readonly amountMsat: bigint;
  readonly message: string;
  readonly at: number;
}

/** A payment of others that waits for the app's decision; it is given back in time for its channel. */
export interface InterceptedPayment {
  readonly interceptId: string;
  readonly paymentHash: string;
  /** The channel that the sender names, as `539268x845x1`. */
  readonly shortChannelId: string;
  readonly inboundMsat: bigint;
  /** What the sender means to go on. */
  readonly outboundMsat: bigint;
  /** The height at which it is given back. */
  readonly expiresAtHeight: number;
}

/** An error as it crosses the worker's border. */
export interface ApiError {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, string | number | boolean | bigint | undefined>>;
}

export interface InvoiceSummary {
  readonly paymentHash: string;
  readonly payeeNodeId: string;
  /** Absent: the payer chooses. */
  readonly amountMsat?: bigint;
  readonly description: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly expired: boolean;
}

/** What `payInvoice` would cost now. */
export interface PaymentQuote {
  readonly amountMsat: bigint;
  /** Of the way that is tried first, beside the amount. */
  readonly feeMsat: bigint;
  /** The most that it could become where that way fails and others are tried, unless `payInvoice` is given less. */
  readonly maxFeeMsat: bigint;
}

/** Who is paid out of the on-chain wallet: one address, or several at once. */
export type OnchainRecipients =
  { readonly address: string; readonly amountSat: bigint | 'all' } | { readonly outputs: readonly OnchainOutput[] };

export interface OnchainOutput {
  readonly address: string;
  readonly amountSat: bigint;
}

/** What `sendOnchain` would cost now. */
export interface OnchainQuote {
  /** What arrives, at all addresses together: with `all` what is left after the fee and the reserve. */
  readonly amountSat: bigint;
  readonly feeSat: bigint;
  readonly feeratePerVbyte: number;
  /** More than one where one has no room for all the coins that are needed; none of them needs another one. */
  readonly transactions: number;
}

/** What a payment costs once it is replaced, in place of what it costs now. */
export interface ReplacementQuote {
  readonly feeSat: bigint;
  readonly feeratePerVbyte: number;
}

/** An on-chain payment that is on record and on its way; txids as explorers print them. */
export interface OnchainSent {
  /** The first of `txids`. */
  readonly txid: string;
  readonly txids: readonly string[];
  /** Of all of them. */
  readonly feeSat: bigint;
}

export interface ChannelOpening {
  /** Of a peer that is connected. */
  readonly nodeId: string;
  readonly amountSat: bigint;
  readonly pushMsat?: bigint;
  /** Of the funding, from 1 to 1000 satoshi; without it what should confirm within twelve blocks. */
  readonly feeratePerVbyte?: number;
}

/** What `openChannel` would cost now, beside the amount that goes into the channel. */
export interface OpenQuote {
  readonly feeSat: bigint;
}

/** What `closeChannel` would cost now; nothing where the peer opened the channel and so pays. */
export interface CloseQuote {
  readonly feeSat: bigint;
  /** The most that it could become where the peer asks for more, unless `closeChannel` is given less. */
  readonly maxFeeSat: bigint;
}

export type WalletUpdate =
  | { readonly kind: 'snapshot'; readonly snapshot: WalletSnapshot }
  | { readonly kind: 'event'; readonly event: WalletEvent };

/** The methods that the worker answers; every one rejects with a `GlowwormError` that has a `code`. */
export interface WalletApi {
  snapshot(): WalletSnapshot;
  /** A new wallet; its twelve words, to be written down. */
  createWallet(): Promise<{ readonly mnemonic: string }>;
  restoreWallet(request: { readonly mnemonic: string }): Promise<void>;
  showMnemonic(): string;
  /**
   * Connects, and stays connected over restarts; tries at once what waits for the peer. Of a peer that is known
   * `trustedForZeroConf` stays as it was unless it is given. Rejects with `NodeIdInvalid`.
   */
  connectPeer(peer: PeerConfig): Promise<void>;
  /** Until the next start or `connectPeer`: the peer stays known. Rejects with `PeerUnknown`. */
  disconnectPeer(request: { readonly nodeId: string }): void;
  /**
   * Disconnects for good. Rejects with `PeerUnknown`, and with `PeerHasChannels` while there is a channel with the peer
   * whose close is not in the chain: it could not be used any more, not be closed by agreement, and the peer may be the only
   * one who can close it.
   */
  forgetPeer(request: { readonly nodeId: string }): Promise<void>;
  /**
   * Begins to open a channel, `pushMsat` of which is given to the peer. Answers once that is on record; how it ends comes as an
   * event. Rejects with `PeerNotConnected`, `ChainStale`, `FeeratesUnknown` where no server has told any for an hour,
   * `ChannelTooSmall` (also where fees and the reserve would take all of our side), `ChannelTooLarge`, `AmountOutOfRange` where more is
   * pushed than it holds, `InsufficientFunds`, `EarlierPaymentUnsettled`, and `FeeTooHigh` where the funding would cost more than
   * `maxFeeSat`. Where its fee has risen when the peer has accepted, nothing is signed, and the opening has failed.
   */
  openChannel(
    request: ChannelOpening & { readonly maxFeeSat?: bigint },
  ): Promise<{ readonly temporaryChannelId: string }>;
  /** What opening a channel would cost; rejects as `openChannel` would, and changes nothing. */
  quoteOpenChannel(request: ChannelOpening): OpenQuote;
  /**
   * Answers `channelRequested`. Rejects with `ChannelRequestGone` once the peer does not wait any more, and with
   * `ChannelRefused` where the wallet does not take the channel now: it can be tried again, or refused.
   */
  acceptInboundChannel(request: { readonly temporaryChannelId: string }): Promise<void>;
  /** Rejects with `ChannelRequestGone`. */
  refuseInboundChannel(request: { readonly temporaryChannelId: string }): Promise<void>;
  /** What a close together with the peer would cost; rejects as `closeChannel` would, and changes nothing. */
  quoteClose(request: { readonly channelId: string }): CloseQuote;
  /**
   * Closes a channel together with its peer, or cancels one that is being opened. Answers once that is on record; how it ends
   * comes as an event. No transaction that costs us more than `maxFeeSat` is signed: `FeeTooHigh`, and the channel stays open,
   * where the fee is above already. Called again while the close is under way, it takes over a new `maxFeeSat`.
   */
  closeChannel(request: { readonly channelId: string; readonly maxFeeSat?: bigint }): Promise<void>;
  /**
   * Closes a channel alone, whatever state it is in; also in place of a close together whose transaction does not confirm.
   * Rejects with `StateUnconfirmed` where `stateConfirmed` is false, unless `unconfirmedState` says that the person knows what
   * that can cost, and with `ChannelStale` where it would give the money away for certain.
   */
  forceCloseChannel(request: { readonly channelId: string; readonly unconfirmedState?: boolean }): Promise<void>;
  /** The name of a channel that there is not, as `539268x845x1`: a payment over it is held for the app, also after a restore. */
  newInterceptScid(): { readonly shortChannelId: string };
  /** Payments of others that wait for the app's decision. */
  interceptedHtlcs(): readonly InterceptedPayment[];
  /**
   * Passes one on over a channel of the app's choice: `amountMsat` of it, or as much as its sender meant. Rejects with `InterceptGone`,
   * `AmountOutOfRange`, `ChainStale`, and with what stands against it, as `InsufficientChannelBalance`: then it waits on.
   */
  forwardIntercepted(request: {
    readonly interceptId: string;
    readonly channelId: string;
    readonly amountMsat?: bigint;
  }): Promise<void>;
  /** Gives one back to its sender. Rejects with `InterceptGone`. */
  failIntercepted(request: { readonly interceptId: string }): Promise<void>;
  createInvoice(request: {
    readonly amountMsat?: bigint;
    readonly description: string;
    readonly expirySeconds?: number;
  }): Promise<{ readonly invoice: string; readonly paymentHash: string }>;
  decodeInvoice(request: { readonly invoice: string }): InvoiceSummary;
  /** What paying an invoice would cost; rejects as `payInvoice` would, and changes nothing. */
  quotePayment(request: { readonly invoice: string; readonly amountMsat?: bigint }): PaymentQuote;
  /**
   * Answers once the payment is on record; how it ends comes as an event. `amountMsat` for invoices without one. No way that
   * would take the fees above `maxFeeMsat` is tried (`FeeTooHigh`): without it, above two per cent of the amount or ten satoshi,
   * whichever is more. Rejects with `ChainStale` while `chain.stale` has `stopped`.
   */
  payInvoice(request: {
    readonly invoice: string;
    readonly amountMsat?: bigint;
    readonly maxFeeMsat?: bigint;
  }): Promise<{ readonly paymentId: string }>;
  /** Newest first. */
  activity(request: { readonly limit: number }): readonly Activity[];
  /** `label` is what the activity list says of the coins that come to the address. */
  newAddress(request: {
    readonly type: 'p2wpkh' | 'p2tr';
    readonly label?: string;
  }): Promise<{ readonly address: string }>;
  /** What an on-chain payment would cost; rejects as `sendOnchain` would, and changes nothing. */
  quoteOnchain(request: OnchainRecipients & { readonly feeratePerVbyte?: number }): OnchainQuote;
  /**
   * Answers once it is on record; of a payment of hundreds of coins that takes seconds, see `signing`. Rejects with `FeeTooHigh`
   * where the fee has risen above `maxFeeSat`, with `CoinsChanged` where coins went elsewhere meanwhile, and with
   * `EarlierPaymentUnsettled` where a payment that the servers refused could still arrive beside this one; nothing is sent then.
   */
  sendOnchain(
    request: OnchainRecipients & {
      readonly maxFeeSat?: bigint;
      /** From 1 to 1000 satoshi; without it what should confirm within twelve blocks. */
      readonly feeratePerVbyte?: number;
      /** For the activity list; nobody else sees it. At most 200 bytes of UTF-8. */
      readonly label?: string;
    },
  ): Promise<OnchainSent>;
  /** What `sweepFound` would bring and cost; rejects with `NothingToSweep`. */
  quoteSweepFound(): OnchainQuote;
  /**
   * Takes the coins of BIP 44 and 49 addresses (`foundSat`) that are worth their fee to a fresh address of this wallet. Rejects with
   * `NothingToSweep`, with `FeeTooHigh` where all of it would cost more than `maxFeeSat`, and with `CoinsChanged`; then nothing was
   * sent.
   */
  sweepFound(request: { readonly maxFeeSat?: bigint }): Promise<OnchainSent>;
  /** What `bumpOnchain` would cost; rejects as it would, and changes nothing. */
  quoteBump(request: { readonly txid: string; readonly feeratePerVbyte?: number }): Promise<ReplacementQuote>;
  /**
   * Sends a payment again at a higher fee, in place of the one that is not confirmed: out of its change, and where that does not
   * suffice with more coins. At least what servers take in its place (BIP 125), also where the feerate is lower. Rejects with
   * `PaymentUnknown`, `PaymentNotReplaceable` where it is confirmed or something has spent its change, `InsufficientFunds` and
   * `FeeTooHigh`. Until a block has one of the two, either may confirm; never both.
   *
   * A payment from others that waits is hurried by spending what it brings, to this wallet again: a block takes both or none. What it
   * has paid itself is the servers' word, so agree to a fee first. Rejects with the `ChainSource` errors, too.
   */
  bumpOnchain(request: {
    readonly txid: string;
    readonly feeratePerVbyte?: number;
    readonly maxFeeSat?: bigint;
  }): Promise<OnchainSent>;
  /** What `cancelOnchain` would cost; rejects as it would, and changes nothing. */
  quoteCancel(request: { readonly txid: string; readonly feeratePerVbyte?: number }): ReplacementQuote;
  /** As `bumpOnchain`, with a payment to this wallet itself: nobody is paid, unless the first one confirms after all. */
  cancelOnchain(request: {
    readonly txid: string;
    readonly feeratePerVbyte?: number;
    readonly maxFeeSat?: bigint;
  }): Promise<OnchainSent>;
  acknowledgeEvent(request: { readonly id: string }): void;
  /** Recent log lines without secrets, oldest first, and then each task that is done again and again: its period, its last run. */
  exportLog(): string;
  /** Checks the chain and the connections now: to be called when the page becomes visible or the network returns. */
  wake(): void;
}
