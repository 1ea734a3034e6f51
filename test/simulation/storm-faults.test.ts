import { describe, expect, it } from 'vitest';
import { transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import type { Fault } from './faults.ts';
import { checkClaimFeerate } from './invariants/claim-feerates.ts';
import { checkPreimageKept } from './invariants/preimages.ts';
import { startOf } from './starts.ts';
import { simulateStorm, type StormCommand } from './storm-run.ts';
import { World } from './world.ts';

const PAYMENT: StormCommand = { kind: 'pay', from: 'a', amount: { kind: 'msat', msat: 20_000_000n }, times: 1 };

/** A payment whose preimage is on its way back. */
const SHOWN: readonly StormCommand[] = [
  { kind: 'pump' },
  PAYMENT,
  { kind: 'complete', side: 'a', count: 4 },
  { kind: 'deliver', to: 'b', count: 4 },
  { kind: 'complete', side: 'b', count: 4 },
  { kind: 'deliver', to: 'a', count: 4 },
  { kind: 'complete', side: 'a', count: 4 },
  { kind: 'deliver', to: 'b', count: 4 },
  { kind: 'complete', side: 'b', count: 4 },
];

/** A payment of which the payee has shown its preimage to nobody but its disk. */
const PREIMAGE_KEPT: readonly StormCommand[] = [
  ...SHOWN,
  { kind: 'disconnect' },
  { kind: 'wait', blocks: 120 },
  { kind: 'wait', blocks: 40 },
];

const CHEATED: readonly StormCommand[] = [
  { kind: 'pump' },
  PAYMENT,
  { kind: 'pump' },
  { kind: 'cheat', side: 'a', channel: 0, state: 0, secondStage: 'never' },
  { kind: 'wait', blocks: 3 },
];

/** What is never broadcast, and what is noticed of it. */
const FAULTS: Readonly<
  Record<string, { isKept: (tx: Transaction) => boolean; commands: readonly StormCommand[]; found: RegExp }>
> = {
  'a revoked commitment is left to the cheater': {
    isKept: ({ inputs }) => inputs.some(({ witness }) => witness.length === 3 && witness[1]?.length === 1),
    commands: CHEATED,
    found: /of a revoked commitment are not taken/,
  },
  'an HTLC is not taken with its preimage': {
    isKept: ({ inputs }) => inputs.some(({ witness }) => witness[3]?.length === 32),
    commands: PREIMAGE_KEPT,
    found: /did not take holderHtlc/,
  },
  'a channel is not closed in time': {
    isKept: ({ inputs }) => inputs.some(({ witness }) => witness.length === 4),
    commands: PREIMAGE_KEPT,
    found: /is not in the chain|did not take/,
  },
};

describe('what is withheld is missed', () => {
  it.each(Object.entries(FAULTS))('%s', async (name, { isKept, commands, found }) => {
    const run = { start: 'wide', crypto: 'fake', commands } as const;
    const fault: Fault = { name, broadcasting: (tx) => !isKept(tx) };
    await expect(simulateStorm(run, fault)).rejects.toThrow(found);
    expect((await simulateStorm(run)).problems).toEqual([]);
  });
});

describe('a cheater that takes the HTLCs first', () => {
  it.each(['together', 'apart'] as const)('loses them all the same (%s)', async (secondStage) => {
    const commands: readonly StormCommand[] = [
      ...SHOWN,
      { kind: 'pump' },
      { kind: 'cheat', side: 'b', channel: 0, state: 8, secondStage },
      { kind: 'wait', blocks: 3 },
    ];
    const world = await simulateStorm({ start: 'wide', crypto: 'fake', commands });
    expect(world.punished).toBe(1);
    expect(world.takenFirst).toBe(1);
  });
});

describe('an invariant', () => {
  it('does not let a claim become cheaper', async () => {
    const world = new World(await startOf('wide', 'fake'));
    world.forced = true;
    const [entry] = world.a.node.manager.channels();
    world.a.node.turn(() => world.a.node.manager.forceCloseChannel(entry?.key ?? '', { unconfirmedState: true }));
    await world.pump();
    world.mine();
    await world.pump();
    const [claim] = world.chain
      .mine()
      .transactions.filter(({ outputs }) => outputs.every(({ script }) => world.b.node.wallet.owns(script)));
    if (claim === undefined) throw new Error('b has claimed its balance');
    expect(world.broadcastBy.size).toBeGreaterThan(1);
    expect(transactionId(claim)).toHaveLength(32);
    checkClaimFeerate(world, world.b, claim);
    expect(world.problems).toEqual([]);
    const outputs = claim.outputs.map((output) => ({ ...output, amountSat: output.amountSat + 50n }));
    checkClaimFeerate(world, world.b, { ...claim, outputs });
    expect(world.problems).toEqual([expect.stringMatching(/a claim pays \d+ per kw after/)]);
  });

  it('does not let a payment fail whose preimage is known', async () => {
    const world = new World(await startOf('wide', 'fake'));
    const [[key, monitor] = []] = world.a.view.monitors;
    if (key === undefined || monitor === undefined) throw new Error('the start has a channel');
    const problems: string[] = [];
    const knowing = { ...monitor, preimages: new Map([['ab', new Uint8Array(32)]]) };
    checkPreimageKept(new Map([[key, knowing]]), 'cd', (problem) => problems.push(problem));
    expect(problems).toEqual([]);
    checkPreimageKept(new Map([[key, knowing]]), 'ab', (problem) => problems.push(problem));
    expect(problems).toHaveLength(1);
  });
});
