import { describe, expect, it } from 'vitest';
import { decodeTransaction, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { Cheat } from './cheat.ts';
import { failingInput } from './script-check.ts';
import { startOf, type CryptoName } from './starts.ts';
import { World } from './world.ts';

/** A commitment that spends a funding output, and what it spends. */
async function commitment(crypto: CryptoName) {
  const world = new World(await startOf('wide', crypto));
  const [monitor] = world.a.view.monitors.values();
  if (monitor === undefined) throw new Error('the start has a channel');
  const [raw = new Uint8Array(0)] = new Cheat(world.a, monitor, 'never').transactions(world.chain);
  const tx = decodeTransaction(raw);
  return { world, raw, tx, spent: world.chain.spentBy(tx) };
}

function withWitness(tx: Transaction, change: (item: Uint8Array, index: number) => Uint8Array): Transaction {
  return { ...tx, inputs: tx.inputs.map((input) => ({ ...input, witness: input.witness.map(change) })) };
}

describe.each(['fake', 'real'] as const)('the scripts of a transaction, with keys that are %s', (crypto) => {
  it('are good', async () => {
    const { world, tx, spent } = await commitment(crypto);
    expect(failingInput(world.a.secp, tx, spent)).toBeUndefined();
  });

  it('fail where something else was signed', async () => {
    const { world, tx, spent } = await commitment(crypto);
    const outputs = tx.outputs.map((output) => ({ ...output, amountSat: output.amountSat - 1n }));
    expect(failingInput(world.a.secp, { ...tx, outputs }, spent)).toBe(0);
  });

  it('fail where a signature is missing, or another script was hashed', async () => {
    const { world, tx, spent } = await commitment(crypto);
    const unsigned = withWitness(tx, (item, index) => (index === 1 ? new Uint8Array(0) : item));
    expect(failingInput(world.a.secp, unsigned, spent)).toBe(0);
    const [output] = spent;
    const elsewhere = output && { ...output, script: output.script.toReversed() };
    expect(failingInput(world.a.secp, tx, [elsewhere])).toBe(0);
  });

  it('keep an invalid transaction out of the mempool', async () => {
    const { world, raw, tx } = await commitment(crypto);
    const damaged = raw.slice();
    const at = raw.length - 90;
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    world.chain.broadcast(damaged);
    expect(world.chain.invalid.size).toBe(1);
    world.chain.broadcast(raw);
    expect(world.chain.mine().transactions).toEqual([tx]);
  });
});
