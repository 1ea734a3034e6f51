import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import {
  transactionId,
  type Outpoint,
  type Transaction,
  type TransactionOutput,
} from '../../../worker/engine/transactions/transaction.ts';
import { fundingOutpoint, fundingOutput, isFunded } from '../funding.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';
import { UNECONOMIC_SAT } from './uneconomic.ts';

/**
 * When everything is confirmed, a side's coins in the chain are those that its wallet knows, none is set aside for nothing,
 * and what it broadcast has paid nobody but itself and its own channels. With the closes, which are looked at on their own,
 * each satoshi is then in one place: what a side had and got is in its channels and its wallet, or was a fee.
 */
export function checkCoins(world: World): void {
  for (const side of world.honest) {
    const { coins, locked } = side.node.wallet.state;
    if (awaitsNothing(world, side)) {
      world.complain(side.name, 'keeps coins for the close of a channel that was never funded');
      continue;
    }
    const known = coins.filter(({ spentBy }) => spentBy === undefined).map(nameOf);
    const found = unspentOf(world, side);
    const problem = difference(known, found);
    if (problem !== undefined) world.complain(side.name, problem);
    if (locked.length > 0) world.complain(side.name, `${locked.length} coins stay locked`);
    for (const transaction of madeBy(world, side)) checkOwn(world, side, transaction);
  }
}

/** A commitment without a funding is never in the chain, and neither is a child that pays for it. */
const awaitsNothing = (world: World, { node }: Side): boolean =>
  node.manager.channels().some(({ key, state }) => {
    const child = node.manager.chainMonitor.monitor(key)?.anchorChild;
    return child !== undefined && 'params' in state && !isFunded(world, state.params);
  });

function difference(known: readonly string[], found: readonly string[]): string | undefined {
  const missing = found.filter((name) => !known.includes(name)).length;
  const imagined = known.filter((name) => !found.includes(name)).length;
  return missing + imagined === 0
    ? undefined
    : `the wallet does not know ${missing} of its coins and imagines ${imagined}`;
}

function unspentOf({ chain }: World, { node }: Side): readonly string[] {
  return chain.transactions.flatMap((transaction) => {
    const txid = transactionId(transaction);
    return [...transaction.outputs.entries()]
      .filter(([vout, { script }]) => node.wallet.owns(script) && !chain.isSpent({ txid, vout }))
      .map(([vout]) => nameOf({ txid, vout }));
  });
}

/** Confirmed transactions that a side sent out, but for those that spend a funding output: closes. */
function madeBy(world: World, side: Side): readonly Transaction[] {
  const fundings = new Set(
    side.node.manager
      .channels()
      .flatMap(({ state }) => ('params' in state ? [nameOf(fundingOutpoint(state.params))] : [])),
  );
  return world.chain.transactions.filter(
    (transaction) =>
      world.broadcastBy.get(toHex(transactionId(transaction))) === side.name &&
      !transaction.inputs.some((input) => fundings.has(nameOf(input))),
  );
}

function checkOwn(world: World, side: Side, transaction: Transaction): void {
  if (isHtlcTransaction(transaction)) return checkFetched(world, side, transaction);
  const channels = side.node.manager
    .channels()
    .flatMap(({ state }) =>
      'params' in state && state.params.isOpener ? [describe(fundingOutput(state.params))] : [],
    );
  const stranger = transaction.outputs.find(
    (output) => !side.node.wallet.owns(output.script) && !channels.includes(describe(output)),
  );
  if (stranger !== undefined) world.complain(side.name, `${stranger.amountSat} sat went to a stranger`);
}

/** It takes HTLCs out of a commitment of ours: nothing, two signatures, a preimage or nothing, and the script. */
const isHtlcTransaction = ({ inputs }: Transaction): boolean => inputs.some(({ witness }) => witness.length === 5);

/** What such a transaction makes, its own claims fetch after the delay, unless that is not worth it. */
function checkFetched(world: World, side: Side, transaction: Transaction): void {
  const txid = transactionId(transaction);
  const left = [...transaction.outputs.entries()].filter(
    ([vout, { script, amountSat }]) =>
      !side.node.wallet.owns(script) && amountSat > UNECONOMIC_SAT && !world.chain.isSpent({ txid, vout }),
  );
  if (left.length > 0) world.complain(side.name, `leaves ${left.length} outputs of an HTLC transaction`);
}

const describe = ({ amountSat, script }: TransactionOutput): string => `${amountSat} to ${toHex(script)}`;

const nameOf = ({ txid, vout }: Outpoint): string => `${toHex(txid)}:${vout}`;
