import { availableToReceiveMsat, availableToSendMsat } from '../engine/channel/channel-limits.ts';
import { fundingDepth, requiredDepth } from '../engine/channel/channel-ready.ts';
import type { ClosedChannel, OpenChannel, PendingChannel } from '../engine/channel/channel-state.ts';
import { isUnfunded, isUsableAt, type ChannelEntry } from '../engine/manager/channel-entry.ts';
import type { ChannelManager } from '../engine/manager/channel-manager.ts';
import { certainBalance, ourBalance, type ClosingReport } from '../engine/manager/closing-report.ts';
import type { ChannelParameters } from '../engine/transactions/channel-parameters.ts';
import { explainClose } from '../engine/channel/close-reason.ts';
import { reversed, toHex } from '../engine/primitives/bytes.ts';
import type { Standing } from '../edges/chain/propagation.ts';
import { toApiError } from './api-error.ts';
import type { ChannelSummary, LightningBalance, OnchainBalance, WalletConfig, WalletSnapshot } from './api.ts';
import { closingSummary, stillOwedMsat } from './closing-summary.ts';
import type { LightningNode } from './lightning-node.ts';
import { reserveSat } from './onchain-reserve.ts';

/** What the page shows, of a wallet that exists. */
export function snapshotOf({ network }: WalletConfig, node: LightningNode): WalletSnapshot {
  const { problem, manager } = node;
  const lightning = lightningBalance(manager);
  const onchain = onchainBalance(node);
  return {
    status: problem === undefined ? 'running' : 'frozen',
    network,
    nodeId: toHex(node.keys.nodeId),
    chain: node.chain.status,
    totalMsat: totalOf(lightning, onchain),
    lightning,
    onchain,
    peers: node.peers.summaries(),
    channels: manager.channels().map((entry) => channelSummary(entry, manager, fundingStanding(entry, node))),
    ...(problem === undefined ? {} : { problem: toApiError(problem) }),
  };
}

/** What the page shows before there is a wallet. */
export const emptySnapshot = ({ network }: WalletConfig): WalletSnapshot => ({
  status: 'empty',
  network,
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
});

/** Each satoshi of both once. */
function totalOf(lightning: LightningBalance, onchain: OnchainBalance): bigint {
  const { spendableSat, reservedSat, unconfirmedSat, sweepingSat, maybeSat, foundSat } = onchain;
  const { sendableMsat, reservedMsat, pendingMsat } = lightning;
  const onchainSat = spendableSat + reservedSat + unconfirmedSat + sweepingSat + maybeSat + foundSat;
  return sendableMsat + reservedMsat + pendingMsat + onchainSat * 1000n;
}

function lightningBalance(manager: ChannelManager): LightningBalance {
  let [sendableMsat, reservedMsat, pendingMsat, receivableMsat] = [0n, 0n, 0n, 0n];
  for (const entry of manager.channels()) {
    // One that the peer has not funded yet may never be there.
    if (entry.state.kind !== 'open' || isUnfunded(entry.state)) continue;
    const { params, commitments } = entry.state;
    const { toHolderMsat } = commitments.holderCommit.spec;
    const usable = isUsableAt(entry, manager.blockHeight);
    const sendable = usable ? availableToSendMsat(params, commitments) : 0n;
    sendableMsat += sendable;
    reservedMsat += toHolderMsat > sendable ? toHolderMsat - sendable : 0n;
    pendingMsat += manager.worthMsat(entry) - toHolderMsat;
    if (usable) receivableMsat += availableToReceiveMsat(params, commitments);
  }
  return { sendableMsat, reservedMsat, pendingMsat, receivableMsat };
}

function onchainBalance({ wallet, manager, chain, payments }: LightningNode): OnchainBalance {
  const { confirmedSat, unconfirmedSat, reservedSat, spendableSat, foundSat } = wallet.balance(
    reserveSat(manager.reservingChannels()),
    chain.feerates.outputSpending,
  );
  const owed = manager.channels().flatMap((entry) => manager.closing(entry)?.balances ?? []);
  const sweepingSat = certainBalance(owed);
  return {
    spendableSat,
    reservedSat,
    unconfirmedSat: confirmedSat + unconfirmedSat - reservedSat - spendableSat,
    sweepingSat,
    maybeSat: ourBalance(owed) - sweepingSat,
    foundSat,
    confirmedSat,
    ...(payments.progress === undefined ? {} : { signing: payments.progress }),
  };
}

/** What a summary needs of the manager beside the channel. */
type Manager = Pick<ChannelManager, 'blockHeight' | 'mayForceClose' | 'isSetApart' | 'isCopy' | 'closing'>;

/** `funding` is how far a funding has got that is in no block. */
export function channelSummary(
  entry: ChannelEntry,
  manager: Manager,
  funding: Standing | undefined = undefined,
): ChannelSummary {
  const { blockHeight } = manager;
  const { state } = entry;
  const closing = manager.closing(entry);
  const shown =
    state.kind === 'open'
      ? openSummary(entry, state, blockHeight)
      : state.kind === 'closed'
        ? closedSummary(state.params, stillOwedMsat(closing))
        : openingSummary(state);
  const reason = reasonOf(entry, manager, closing) ?? fundingProblem(funding);
  return {
    channelId: entry.key,
    peerNodeId: entry.nodeId,
    weOpened: 'params' in state ? state.params.isOpener : state.kind !== 'awaitingFundingCreated',
    usable: isUsableAt(entry, blockHeight),
    stateConfirmed: entry.isConfirmed,
    forceClosable: manager.mayForceClose(entry),
    ...shown,
    state: entry.frozen === undefined ? shown.state : 'frozen',
    ...(reason === undefined ? {} : { reason }),
    ...(closing === undefined ? {} : { closing: closingSummary(closing, blockHeight) }),
  };
}

/** Why it closed, or what stopped it or holds it up. */
function reasonOf(entry: ChannelEntry, manager: Manager, closing: ClosingReport | undefined): string | undefined {
  const { frozen, state } = entry;
  if (state.kind === 'closed')
    return [
      explainClose(state.reason),
      ...(isOvertaken(state, closing) ? [OVERTAKEN] : []),
      ...(frozen === undefined ? [] : [STOPPED]),
    ].join(' ');
  if (frozen !== undefined) return `${STOPPED} If it stops again, close it alone.`;
  if (manager.isCopy(entry)) return COPY;
  return manager.isSetApart(entry) ? SET_APART : undefined;
}

/** The funding stays what it is: the peer has signed for this one, and it could be in a block in spite of every refusal. */
function fundingProblem(funding: Standing | undefined): string | undefined {
  if (funding?.kind === 'unseen') return FUNDING_UNSEEN;
  if (funding?.kind !== 'refused') return undefined;
  return funding.refusal.reason === 'feeTooLow' ? FUNDING_CHEAP : FUNDING_REFUSED;
}

function fundingStanding({ state }: ChannelEntry, { chain }: LightningNode): Standing | undefined {
  const isAwaited = state.kind === 'open' && state.params.isOpener && state.funding.kind === 'unconfirmed';
  return isAwaited ? chain.standing(toHex(reversed(state.params.fundingTxid))) : undefined;
}

const FUNDING_UNSEEN =
  'One server has taken the funding transaction, but no other has seen it yet. It is sent again: check your connection, or add another server.';

const FUNDING_CHEAP =
  'The servers refuse the funding transaction for now: its fee is below what the network takes. It is tried again, and gets in when fewer pay more.';

const FUNDING_REFUSED =
  'The servers refuse the funding transaction. It is tried again with every block, and its coins wait with it. Look whether another device has spent them.';

/** We closed it, and the peer did too: its commitment is in the chain. */
const isOvertaken = ({ reason }: ClosedChannel, closing: ClosingReport | undefined): boolean =>
  reason.kind === 'holderForceClosed' && closing?.height !== undefined && closing.closedBy === 'counterparty';

const OVERTAKEN = 'The peer’s closing transaction came first.';

/** What the error was is in the log, where it helps. */
const STOPPED =
  'An error of this program stopped the channel: no payments go over it, and what is yours in it is still claimed. Reload the page.';

const COPY =
  'This wallet’s data is older than what this device had last. Until the peer has confirmed the channel, it does not close itself, also where a payment in it expires.';

const SET_APART =
  'The connection with the peer ended over it again and again. It is tried again with the next block, or when you connect.';

type Shown = Omit<
  ChannelSummary,
  'channelId' | 'peerNodeId' | 'weOpened' | 'usable' | 'stateConfirmed' | 'forceClosable' | 'reason' | 'closing'
>;

const NOTHING = {
  sendableMsat: 0n,
  receivableMsat: 0n,
  reserveSat: 0n,
  pendingHtlcs: 0,
  confirmations: 0,
  confirmationsRequired: 0,
} as const;

function openSummary(
  entry: ChannelEntry,
  { params, commitments, ...channel }: OpenChannel,
  blockHeight: number,
): Shown {
  const { spec } = commitments.holderCommit;
  const usable = isUsableAt(entry, blockHeight);
  const ready = channel.holderReadySent && channel.counterpartyReady;
  return {
    state: channel.shutdown.kind !== 'none' ? 'closing' : ready ? 'ready' : 'confirming',
    capacitySat: params.fundingSat,
    balanceMsat: spec.toHolderMsat,
    sendableMsat: usable ? availableToSendMsat(params, commitments) : 0n,
    receivableMsat: usable ? availableToReceiveMsat(params, commitments) : 0n,
    reserveSat: params.counterparty.channelReserveSat,
    pendingHtlcs: spec.htlcs.length,
    confirmations: fundingDepth(channel.funding, blockHeight),
    confirmationsRequired: requiredDepth({ params, funding: channel.funding }),
    fundingTxid: toHex(reversed(params.fundingTxid)),
  };
}

const closedSummary = ({ fundingTxid, fundingSat }: ChannelParameters, balanceMsat: bigint): Shown => ({
  ...NOTHING,
  state: 'closed',
  capacitySat: fundingSat,
  balanceMsat,
  fundingTxid: toHex(reversed(fundingTxid)),
});

function openingSummary(state: PendingChannel): Shown {
  const capacitySat = state.kind === 'awaitingFundingSigned' ? state.params.fundingSat : state.fundingSat;
  return { ...NOTHING, state: 'opening', capacitySat, balanceMsat: 0n, fundingTxid: '' };
}
