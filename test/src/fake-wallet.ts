import type {
  Activity,
  ChannelSummary,
  CloseQuote,
  OnchainQuote,
  OnchainSent,
  OpenQuote,
  PaymentQuote,
  ReplacementQuote,
  WalletApi,
  WalletEvent,
  WalletSnapshot,
  WalletUpdate,
} from '../../worker/client/api.ts';
import type { ServedWallet } from '../../worker/client/endpoint.ts';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';

export const ALICE = `02${'a1'.repeat(32)}`;
export const BOB = `03${'b2'.repeat(32)}`;
export const WORDS = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
export const INVOICE =
  'lnbcrt2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpusp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs9qrsgq357wnc5r2ueh7ck6q93dj32dlqnls087fxdwk8qakdyafkq3yap9us6v52vjjsrvywa6rt52cm9r9zqt8r2t7mlcwspyetp5h2tztugp9lfyql';
const HASH = '00'.repeat(32);
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
/** A fixed moment, so that pictures of the pages stay the same. */
const NOW = Date.UTC(2026, 4, 17, 12, 0);

/** A wallet with plausible data and no engine behind it: every call is remembered, `snapshots` and events are pushed by hand. */
export class FakeWallet implements ServedWallet {
  readonly calls: (readonly unknown[])[] = [];
  readonly #listeners = new Set<(update: WalletUpdate) => void>();
  #snapshot: WalletSnapshot;
  closed = false;
  activities: readonly Activity[] = someActivity();
  /** What a vbyte costs where no feerate is chosen. */
  satPerVbyte = 2;

  constructor(snapshot: WalletSnapshot = runningSnapshot()) {
    this.#snapshot = snapshot;
  }

  snapshot(): WalletSnapshot {
    return this.#snapshot;
  }

  show(change: Partial<WalletSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    this.#tell({ kind: 'snapshot', snapshot: this.#snapshot });
  }

  happen(event: Partial<WalletEvent>): void {
    const whole: WalletEvent = {
      id: '1',
      kind: 'paymentReceived',
      subject: HASH,
      amountMsat: 25_000_000n,
      message: '',
      at: NOW,
      ...event,
    };
    this.#tell({ kind: 'event', event: whole });
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  subscribe(listener: (update: WalletUpdate) => void): () => void {
    this.#listeners.add(listener);
    listener({ kind: 'snapshot', snapshot: this.#snapshot });
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  async createWallet(): Promise<{ readonly mnemonic: string }> {
    this.calls.push(['createWallet']);
    this.show(runningSnapshot());
    return { mnemonic: WORDS };
  }

  async restoreWallet(request: { readonly mnemonic: string }): Promise<void> {
    this.calls.push(['restoreWallet', request]);
    if (request.mnemonic !== WORDS) {
      throw new GlowwormError(
        'MnemonicInvalid',
        'These words do not belong together: one of them is wrong or misplaced.',
      );
    }
    this.show(runningSnapshot());
  }

  showMnemonic(): string {
    return WORDS;
  }

  async connectPeer(...args: Parameters<WalletApi['connectPeer']>): Promise<void> {
    this.calls.push(['connectPeer', ...args]);
  }

  async disconnectPeer(...args: Parameters<WalletApi['disconnectPeer']>): Promise<void> {
    this.calls.push(['disconnectPeer', ...args]);
  }

  async forgetPeer(...args: Parameters<WalletApi['forgetPeer']>): Promise<void> {
    this.calls.push(['forgetPeer', ...args]);
  }

  quoteOpenChannel(request: Parameters<WalletApi['quoteOpenChannel']>[0]): OpenQuote {
    return { feeSat: this.#feeSat(150, request) };
  }

  async openChannel(
    request: Parameters<WalletApi['openChannel']>[0],
  ): Promise<{ readonly temporaryChannelId: string }> {
    this.calls.push(['openChannel', request]);
    checkFee(this.quoteOpenChannel(request).feeSat, request);
    return { temporaryChannelId: '77'.repeat(32) };
  }

  newInterceptScid(): { readonly shortChannelId: string } {
    return { shortChannelId: '539268x845x1' };
  }

  interceptedHtlcs(): readonly [] {
    return [];
  }

  async forwardIntercepted(...args: Parameters<WalletApi['forwardIntercepted']>): Promise<void> {
    this.calls.push(['forwardIntercepted', ...args]);
  }

  async failIntercepted(...args: Parameters<WalletApi['failIntercepted']>): Promise<void> {
    this.calls.push(['failIntercepted', ...args]);
  }

  quoteClose(...args: Parameters<WalletApi['quoteClose']>): CloseQuote {
    this.calls.push(['quoteClose', ...args]);
    return { feeSat: 674n, maxFeeSat: 3_022n };
  }

  async closeChannel(...args: Parameters<WalletApi['closeChannel']>): Promise<void> {
    this.calls.push(['closeChannel', ...args]);
  }

  async forceCloseChannel(...args: Parameters<WalletApi['forceCloseChannel']>): Promise<void> {
    this.calls.push(['forceCloseChannel', ...args]);
  }

  async acceptInboundChannel(...args: Parameters<WalletApi['acceptInboundChannel']>): Promise<void> {
    this.calls.push(['acceptInboundChannel', ...args]);
  }

  async refuseInboundChannel(...args: Parameters<WalletApi['refuseInboundChannel']>): Promise<void> {
    this.calls.push(['refuseInboundChannel', ...args]);
  }

  async createInvoice(
    ...args: Parameters<WalletApi['createInvoice']>
  ): Promise<{ readonly invoice: string; readonly paymentHash: string }> {
    this.calls.push(['createInvoice', ...args]);
    return { invoice: INVOICE, paymentHash: HASH };
  }

  decodeInvoice({ invoice }: { readonly invoice: string }): ReturnType<WalletApi['decodeInvoice']> {
    if (invoice.toLowerCase() !== INVOICE) {
      throw new GlowwormError('InvoiceInvalid', 'This invoice cannot be read: its checksum is wrong. Copy it again.');
    }
    return {
      paymentHash: HASH,
      payeeNodeId: BOB,
      amountMsat: 250_000_000n,
      description: 'Two cups of coffee',
      expiresAt: NOW + 3_600_000,
      expired: false,
    };
  }

  quotePayment({ amountMsat = 250_000_000n }: Parameters<WalletApi['quotePayment']>[0]): PaymentQuote {
    return { amountMsat, feeMsat: 251_250n, maxFeeMsat: 5_000_000n };
  }

  async payInvoice(...args: Parameters<WalletApi['payInvoice']>): Promise<{ readonly paymentId: string }> {
    this.calls.push(['payInvoice', ...args]);
    return { paymentId: HASH };
  }

  activity({ limit }: { readonly limit: number }): readonly Activity[] {
    return this.activities.slice(0, limit);
  }

  async newAddress(...args: Parameters<WalletApi['newAddress']>): Promise<{ readonly address: string }> {
    this.calls.push(['newAddress', ...args]);
    return { address: ADDRESS };
  }

  quoteOnchain(request: Parameters<WalletApi['quoteOnchain']>[0]): OnchainQuote {
    const amountSat =
      'outputs' in request ? request.outputs.reduce((sum, each) => sum + each.amountSat, 0n) : request.amountSat;
    return {
      amountSat: amountSat === 'all' ? 1_229_718n : amountSat,
      feeSat: this.#feeSat(141, request),
      feeratePerVbyte: request.feeratePerVbyte ?? this.satPerVbyte,
      transactions: 1,
    };
  }

  async sendOnchain(request: Parameters<WalletApi['sendOnchain']>[0]): Promise<OnchainSent> {
    this.calls.push(['sendOnchain', request]);
    return sent('fe', this.quoteOnchain(request).feeSat, request);
  }

  quoteSweepFound(): OnchainQuote {
    return { amountSat: 69_300n, feeSat: this.#feeSat(350, {}), feeratePerVbyte: this.satPerVbyte, transactions: 1 };
  }

  async sweepFound(request: Parameters<WalletApi['sweepFound']>[0]): Promise<OnchainSent> {
    this.calls.push(['sweepFound', request]);
    return sent('fd', this.quoteSweepFound().feeSat, request);
  }

  async quoteBump(request: Parameters<WalletApi['quoteBump']>[0]): Promise<ReplacementQuote> {
    return this.#replacement(141, request);
  }

  async bumpOnchain(request: Parameters<WalletApi['bumpOnchain']>[0]): Promise<OnchainSent> {
    this.calls.push(['bumpOnchain', request]);
    return sent('fd', this.#replacement(141, request).feeSat, request);
  }

  quoteCancel(request: Parameters<WalletApi['quoteCancel']>[0]): ReplacementQuote {
    return this.#replacement(125, request);
  }

  async cancelOnchain(request: Parameters<WalletApi['cancelOnchain']>[0]): Promise<OnchainSent> {
    this.calls.push(['cancelOnchain', request]);
    return sent('fc', this.#replacement(125, request).feeSat, request);
  }

  acknowledgeEvent(...args: Parameters<WalletApi['acknowledgeEvent']>): void {
    this.calls.push(['acknowledgeEvent', ...args]);
  }

  exportLog(): string {
    return 'a line\nanother line\n';
  }

  wake(): void {
    this.calls.push(['wake']);
  }

  #tell(update: WalletUpdate): void {
    for (const listener of this.#listeners) listener(update);
  }

  /** More than what is replaced has paid. */
  #replacement(vbytes: number, { feeratePerVbyte = this.satPerVbyte + 2 }: Feerate): ReplacementQuote {
    return { feeSat: this.#feeSat(vbytes, { feeratePerVbyte }), feeratePerVbyte };
  }

  #feeSat(vbytes: number, { feeratePerVbyte = this.satPerVbyte }: Feerate): bigint {
    return BigInt(Math.ceil(vbytes * feeratePerVbyte));
  }
}

interface Feerate {
  readonly feeratePerVbyte?: number;
}

interface Agreed {
  readonly maxFeeSat?: bigint;
}

function sent(byte: string, feeSat: bigint, agreed: Agreed): OnchainSent {
  checkFee(feeSat, agreed);
  const txid = byte.repeat(32);
  return { txid, txids: [txid], feeSat };
}

function checkFee(feeSat: bigint, { maxFeeSat = feeSat }: Agreed): void {
  if (feeSat > maxFeeSat) throw new GlowwormError('FeeTooHigh', `The network fee has risen to ${feeSat} sat.`);
}

export function emptySnapshot(): WalletSnapshot {
  return {
    status: 'empty',
    network: 'regtest',
    nodeId: '',
    chain: { kind: 'connecting', blockHeight: 0 },
    totalMsat: 0n,
    lightning: { sendableMsat: 0n, reservedMsat: 0n, pendingMsat: 0n, receivableMsat: 0n },
    onchain: {
      spendableSat: 0n,
      reservedSat: 0n,
      unconfirmedSat: 0n,
      sweepingSat: 0n,
      maybeSat: 0n,
      foundSat: 0n,
      confirmedSat: 0n,
    },
    peers: [],
    channels: [],
  };
}

/** A wallet before its first coins. */
export function newSnapshot(): WalletSnapshot {
  const chain = { kind: 'syncing', blockHeight: 104 } as const;
  return { ...emptySnapshot(), status: 'running', nodeId: `03${'c3'.repeat(32)}`, chain };
}

const REACHED = {
  address: { kind: 'websocket', url: 'wss://peer.example' },
  trustedForZeroConf: false,
} as const;

export function runningSnapshot(): WalletSnapshot {
  return {
    ...newSnapshot(),
    chain: { kind: 'synced', blockHeight: 117 },
    totalMsat: 1_790_005_678n,
    lightning: {
      sendableMsat: 412_345_678n,
      reservedMsat: 12_660_000n,
      pendingMsat: 25_000_000n,
      receivableMsat: 538_994_322n,
    },
    onchain: {
      spendableSat: 1_230_000n,
      reservedSat: 20_000n,
      unconfirmedSat: 50_000n,
      sweepingSat: 40_000n,
      maybeSat: 0n,
      foundSat: 0n,
      confirmedSat: 1_250_000n,
    },
    peers: [
      { nodeId: ALICE, state: 'connected', forgettable: false, ...REACHED },
      {
        nodeId: BOB,
        state: 'disconnected',
        forgettable: true,
        ...REACHED,
        problem: {
          code: 'PeerUnreachable',
          message: 'The peer does not answer. It is tried again in 20 seconds.',
          details: {},
        },
      },
    ],
    channels: [
      channel({}),
      channel({
        channelId: '22'.repeat(32),
        state: 'confirming',
        usable: false,
        confirmations: 1,
        balanceMsat: 200_000_000n,
        capacitySat: 200_000n,
      }),
      channel({
        channelId: '33'.repeat(32),
        peerNodeId: BOB,
        state: 'closed',
        usable: false,
        reason: 'The peer closed the channel.',
        closing: {
          closedBy: 'peer',
          txid: 'cd'.repeat(32),
          confirmations: 2,
          heldMsat: 40_000_000n,
          feeMsat: 0n,
          balances: [{ kind: 'claimableAwaitingConfirmations', amountSat: 40_000n, height: 118 }],
          steps: [],
          gainMsat: 0n,
        },
        balanceMsat: 40_000_000n,
        capacitySat: 100_000n,
      }),
    ],
  };
}

export function channel(change: Partial<ChannelSummary>): ChannelSummary {
  return {
    channelId: '11'.repeat(32),
    peerNodeId: ALICE,
    state: 'ready',
    usable: true,
    weOpened: true,
    capacitySat: 1_000_000n,
    balanceMsat: 450_005_678n,
    sendableMsat: 412_345_678n,
    receivableMsat: 538_994_322n,
    reserveSat: 10_000n,
    pendingHtlcs: 1,
    confirmations: 6,
    confirmationsRequired: 3,
    fundingTxid: 'ab'.repeat(32),
    stateConfirmed: true,
    forceClosable: change.state !== 'closed',
    ...change,
  };
}

function someActivity(): readonly Activity[] {
  const line = { state: 'succeeded', feeMsat: 0n, description: '' } as const;
  const problem = {
    code: 'RouteNotFound',
    message: 'No route to the recipient has enough capacity. Try a smaller amount.',
    details: {},
  };
  return [
    {
      ...line,
      id: '1',
      kind: 'sent',
      state: 'pending',
      amountMsat: 25_000_000n,
      description: 'Bicycle repair',
      at: NOW,
    },
    {
      ...line,
      id: '2',
      kind: 'received',
      amountMsat: 120_000_000n,
      description: 'Dinner with Ada',
      at: NOW - 3_600_000,
    },
    {
      ...line,
      id: '3',
      kind: 'sent',
      amountMsat: 4_500_000n,
      feeMsat: 1_250n,
      description: 'Coffee',
      at: NOW - 90_000_000,
    },
    {
      ...line,
      id: '4',
      kind: 'sent',
      state: 'failed',
      amountMsat: 900_000_000n,
      description: 'A very expensive lamp',
      at: NOW - 100_000_000,
      problem,
    },
    {
      ...line,
      id: '5',
      kind: 'invoice',
      state: 'open',
      amountMsat: 10_000_000n,
      description: 'Tickets',
      at: NOW - 200_000_000,
    },
    {
      ...line,
      id: '6',
      kind: 'onchainReceived',
      amountMsat: 1_250_000_000n,
      description: '',
      at: NOW - 300_000_000,
    },
  ];
}
