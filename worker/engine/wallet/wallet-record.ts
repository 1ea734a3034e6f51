import { GlowwormError } from '../primitives/errors.ts';
import { recordFormat } from '../wire/stored-record.ts';
import type { Coin } from './coin.ts';
import { BRANCHES, type Branch } from './descriptors.ts';
import { cursorsOf, type WalletState } from './wallet-state.ts';

const coinSchema = {
  kind: 'struct',
  fields: {
    txid: 'sha256',
    vout: 'u32',
    branch: 'u8',
    index: 'u32',
    amountSat: 'u64',
    flags: 'u8',
    height: 'u32',
    spentTxid: 'sha256',
    spentHeight: 'u32',
  },
} as const;

/** Of a coin that is not confirmed, by its place. */
const madeSchema = { kind: 'struct', fields: { coin: 'u32', weight: 'u32', feeSat: 'u64' } } as const;

/** The first version knew of the first three branches only, and would take the coins of any other for those of one of them. */
const walletRecord = recordFormat(
  'on-chain wallet',
  2,
  {
    cursors: [2, { kind: 'rest', of: { kind: 'struct', fields: { next: 'u32', used: 'u32' } } }],
    coins: [4, { kind: 'rest', of: coinSchema }],
    bestHeight: [6, 'u32'],
  },
  { made: [7, { kind: 'rest', of: madeSchema }] },
);

const FLAG = { coinbase: 1, own: 2, confirmed: 4, spent: 8, spentConfirmed: 16, trusted: 32 } as const;
const NO_TXID = new Uint8Array(32);

/** All but the locks, which belong to fundings that a restart forgets, and what is lent, which every block says again. */
export const encodeWallet = ({ cursors, coins, bestHeight }: WalletState): Uint8Array =>
  walletRecord.encode({
    cursors: BRANCHES.map((branch) => cursors[branch]),
    coins: coins.map((coin) => ({
      txid: coin.txid,
      vout: coin.vout,
      branch: BRANCHES.indexOf(coin.branch),
      index: coin.index,
      amountSat: coin.amountSat,
      flags: flagsOf(coin),
      height: coin.height ?? 0,
      spentTxid: coin.spentBy?.txid ?? NO_TXID,
      spentHeight: coin.spentBy?.height ?? 0,
    })),
    bestHeight,
    made: coins.flatMap(({ height, made }, coin) =>
      made === undefined || height !== undefined ? [] : { coin, ...made },
    ),
  });

/** Throws `RecordDamaged` for a branch that there is not, and as `RecordFormat.decode`. */
export function decodeWallet(bytes: Uint8Array): WalletState {
  const stored = walletRecord.decode(bytes);
  const made = new Map(stored.made?.map(({ coin, ...paid }) => [coin, paid]));
  return {
    cursors: cursorsOf((branch) => stored.cursors[BRANCHES.indexOf(branch)] ?? { next: 0, used: 0 }),
    coins: stored.coins.map((coin, place): Coin => {
      const has = (flag: number): boolean => (coin.flags & flag) !== 0;
      const paid = made.get(place);
      const spentBy = {
        txid: coin.spentTxid,
        ...(has(FLAG.spentConfirmed) ? { height: coin.spentHeight } : {}),
      };
      return {
        txid: coin.txid,
        vout: coin.vout,
        branch: branchOf(coin.branch),
        index: coin.index,
        amountSat: coin.amountSat,
        coinbase: has(FLAG.coinbase),
        own: has(FLAG.own),
        trusted: has(FLAG.trusted),
        ...(paid === undefined ? {} : { made: paid }),
        ...(has(FLAG.confirmed) ? { height: coin.height } : {}),
        ...(has(FLAG.spent) ? { spentBy } : {}),
      };
    }),
    locked: [],
    lent: [],
    bestHeight: stored.bestHeight,
  };
}

function branchOf(stored: number): Branch {
  const branch = BRANCHES[stored];
  if (branch !== undefined) return branch;
  throw new GlowwormError('RecordDamaged', 'a stored coin is of no branch of the wallet', { branch: stored });
}

function flagsOf({ coinbase, own, trusted, height, spentBy }: Coin): number {
  return (
    (coinbase ? FLAG.coinbase : 0) |
    (own ? FLAG.own : 0) |
    (trusted ? FLAG.trusted : 0) |
    (height !== undefined ? FLAG.confirmed : 0) |
    (spentBy !== undefined ? FLAG.spent : 0) |
    (spentBy?.height !== undefined ? FLAG.spentConfirmed : 0)
  );
}
