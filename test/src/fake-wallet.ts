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

  quoteOpenChannel(): OpenQuote {
    return { feeSat: 300n };
  }

  async openChannel(...args: Parameters<WalletApi['openChannel']>): Promise<{ readonly temporaryChannelId: string }> {
    this.calls.push(['openChannel', ...args]);
    return { temporaryChannelId: '77'.repeat(32) };
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
    return someActivity().slice(0, limit);
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
      feeSat: 282n,
      feeratePerVbyte: 2,
      transactions: 1,
    };
  }

  async sendOnchain(...args: Parameters<WalletApi['sendOnchain']>): Promise<OnchainSent> {
    this.calls.push(['sendOnchain', ...args]);
    return { txid: 'fe'.repeat(32), txids: ['fe'.repeat(32)], feeSat: 282n };
  }

  quoteSweepFound(): OnchainQuote {
    return { amountSat: 69_300n, feeSat: 700n, feeratePerVbyte: 2, transactions: 1 };
  }

  async sweepFound(
    ...args: Parameters<WalletApi['sweepFound']>
  ): Promise<{ readonly txids: readonly string[]; readonly feeSat: bigint }> {
    this.calls.push(['sweepFound', ...args]);
    return { txids: ['fd'.repeat(32)], feeSat: 700n };
  }

  async quoteBump(): Promise<ReplacementQuote> {
    return { feeSat: 564n, feeratePerVbyte: 4 };
  }

  async bumpOnchain(...args: Parameters<WalletApi['bumpOnchain']>): Promise<OnchainSent> {
    this.calls.push(['bumpOnchain', ...args]);
    return { txid: 'fd'.repeat(32), txids: ['fd'.repeat(32)], feeSat: 564n };
  }

  quoteCancel(): ReplacementQuote {
    return { feeSat: 500n, feeratePerVbyte: 4 };
  }

  async cancelOnchain(...args: Parameters<WalletApi['cancelOnchain']>): Promise<OnchainSent> {
    this.calls.push(['cancelOnchain', ...args]);
    return { txid: 'fc'.repeat(32), txids: ['fc'.repeat(32)], feeSat: 500n };
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
      description: 'Received on-chain',
      at: NOW - 300_000_000,
    },
  ];
}
