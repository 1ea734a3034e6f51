import { isUnfunded, unconfirmedFunding, type ChannelEntry } from '../engine/manager/channel-entry.ts';
import type { ChannelManager } from '../engine/manager/channel-manager.ts';
import type { ClosingReport } from '../engine/manager/closing-report.ts';
import { equalBytes, reversed, toHex } from '../engine/primitives/bytes.ts';
import { sumOf } from '../engine/wallet/wallet-transaction.ts';
import type { OnchainWallet } from '../engine/wallet/wallet.ts';

/** A line of the activity list that a channel's opening or close makes. */
export interface ChannelRow {
  /** The transaction's id as explorers print it, or with a suffix where it has a second row. */
  readonly id: string;
  readonly kind: 'channelOpened' | 'channelClosed' | 'channelClaimed' | 'sent' | 'received';
  readonly amountMsat: bigint;
  readonly feeMsat: bigint;
  readonly description: string;
  /** Of the transaction's block. */
  readonly height: number | undefined;
}

/** What rows are made from. */
export interface RowParts {
  readonly manager: Pick<ChannelManager, 'closing' | 'channels' | 'blockHeight'>;
  readonly wallet: OnchainWallet;
}

/** What was noted of a row before. */
export type KnownRow = (id: string) => ChannelRow | undefined;

/** The rows of every channel, as the chain and the wallet are now. */
export const channelRows = (parts: RowParts, known: KnownRow): readonly ChannelRow[] =>
  parts.manager.channels().flatMap((entry) => {
    const report = parts.manager.closing(entry);
    return report?.closedBy === 'nobody'
      ? []
      : [...openingRows(parts, entry, known), ...(report === undefined ? [] : closingRows(report))];
  });

/** What opening a channel cost, and what was given away with it. */
function openingRows({ manager, wallet }: RowParts, entry: ChannelEntry, known: KnownRow): readonly ChannelRow[] {
  const { state } = entry;
  if ((state.kind !== 'open' && state.kind !== 'closed') || isUnfunded(state)) return [];
  const { fundingTxid, fundingSat, isOpener } = state.params;
  const id = toHex(reversed(fundingTxid));
  const height = fundingHeight(state) ?? known(id)?.height ?? manager.blockHeight;
  const isConfirmed = unconfirmedFunding(state) === undefined;
  const common = { feeMsat: 0n, description: '', height: isConfirmed ? height : undefined };
  const opened = { ...common, id, kind: 'channelOpened', amountMsat: fundingSat * 1000n } as const;
  const rows = isOpener ? [{ ...opened, feeMsat: fundingFeeSat(wallet, fundingTxid, fundingSat) * 1000n }] : [];
  const pushId = `${id}:push`;
  const pushMsat = pushedMsat(entry) ?? known(pushId)?.amountMsat ?? 0n;
  if (pushMsat === 0n) return rows;
  return [...rows, { ...common, id: pushId, amountMsat: pushMsat, ...(isOpener ? PUSHED : PUSHED_TO_US) }];
}

/** Of a channel that is closed only its row knows it. */
const fundingHeight = (state: ChannelEntry['state']): number | undefined =>
  state.kind === 'open' && state.funding.kind === 'confirmed' ? state.funding.height : undefined;

const PUSHED = { kind: 'sent', description: 'Given to the peer with a new channel' } as const;
const PUSHED_TO_US = { kind: 'received', description: 'Given by the peer with a new channel' } as const;

/** What the opener gave to the other side, while nothing has changed since. */
function pushedMsat({ state }: ChannelEntry): bigint | undefined {
  if (state.kind !== 'open' || state.commitments.holderCommit.number > 0) return undefined;
  const { toHolderMsat, toCounterpartyMsat } = state.commitments.holderCommit.spec;
  return state.params.isOpener ? toCounterpartyMsat : toHolderMsat;
}

/** Nothing where the wallet does not know the coins any more. */
function fundingFeeSat(wallet: OnchainWallet, txid: Uint8Array, fundingSat: bigint): bigint {
  const spentSat = sumOf(wallet.coinsSpentBy(txid));
  const changeSat = sumOf(wallet.state.coins.filter((coin) => equalBytes(coin.txid, txid)));
  return spentSat === 0n ? 0n : spentSat - changeSat - fundingSat;
}

/** What comes back of a channel, and what each transaction of its close costs. */
function closingRows({ txid, height, worthMsat, feeMsat, steps, gainMsat }: ClosingReport): readonly ChannelRow[] {
  const id = toHex(reversed(txid));
  const closed = {
    id,
    kind: 'channelClosed',
    amountMsat: worthMsat - feeMsat,
    feeMsat,
    description: '',
    height,
  } as const;
  const common = { feeMsat: 0n, height, id: `${id}:gain` };
  const gain: readonly ChannelRow[] =
    gainMsat === 0n
      ? []
      : gainMsat > 0n
        ? [
            {
              ...common,
              kind: 'received',
              amountMsat: gainMsat,
              description: 'From a closed channel, beside what was yours',
            },
          ]
        : [{ ...common, kind: 'sent', amountMsat: -gainMsat, description: 'Lost in the close of a channel' }];
  const claims = steps.map((step): ChannelRow => ({
    id: toHex(reversed(step.txid)),
    kind: 'channelClaimed',
    amountMsat: step.broughtSat > 0n ? step.broughtSat * 1000n : 0n,
    feeMsat: step.costSat * 1000n,
    description: '',
    height: step.height,
  }));
  return [closed, ...gain, ...claims];
}
