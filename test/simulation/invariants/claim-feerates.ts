import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import { transactionWeight, type Outpoint, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { fundingOutpoint } from '../funding.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/** The highest feerate at which each set of claims has left, in satoshi per 1000 weight, by side and outpoints. */
export type ClaimFeerates = Map<string, number>;

/** What takes the same outputs of a closed channel again pays no less than before: the fee never starts anew. */
export function checkClaimFeerate(world: World, side: Side, transaction: Transaction): void {
  const name = claimsName(world, side, transaction);
  if (name === undefined) return;
  const feerate = (Number(world.chain.feeSat(transaction)) * 1000) / transactionWeight(transaction);
  const before = world.claimFeerates.get(name) ?? 0;
  if (feerate < before * (1 - SIGNATURE_LENGTHS))
    world.complain(side.name, `a claim pays ${Math.round(feerate)} per kw after ${Math.round(before)}: ${name}`);
  world.claimFeerates.set(name, Math.max(before, feerate));
}

/** A witness is up to three bytes shorter than it was estimated. */
const SIGNATURE_LENGTHS = 0.02;
const ANCHOR_SAT = 330n;

/** `undefined` for what takes nothing out of a commitment or an HTLC transaction, as a commitment and its child do not. */
function claimsName(world: World, side: Side, transaction: Transaction): string | undefined {
  const spent = world.chain.spentBy(transaction);
  if (spent.some((output) => output === undefined)) return undefined;
  const fundings = [...side.view.monitors.values()].map(({ params }) => nameOf(fundingOutpoint(params)));
  const taken = transaction.inputs.filter((_, index) => {
    const output = spent[index];
    return output !== undefined && !side.node.wallet.owns(output.script) && output.amountSat !== ANCHOR_SAT;
  });
  const names = taken.map(nameOf);
  if (names.length === 0 || names.some((name) => fundings.includes(name))) return undefined;
  return `${side.name} ${names.toSorted().join(' ')}`;
}

const nameOf = ({ txid, vout }: Outpoint): string => `${toHex(txid)}:${vout}`;
