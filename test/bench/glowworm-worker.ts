import { openStore } from '../../worker/edges/storage/indexeddb-store.ts';
import { SimulatedNode } from '../simulation/node.ts';
import { GlowwormPair } from './glowworm-pair.ts';
import { serveJobs, wipe, type ColdResult } from './jobs.ts';
import { measurePayments, type PaymentsResult } from './payments.ts';

const NAMES = ['glowworm-a', 'glowworm-b'] as const;

/** Stays reachable, so that a memory measurement counts it. */
let kept: GlowwormPair | SimulatedNode | undefined;

async function payments(count: number, inFlight: number): Promise<PaymentsResult> {
  for (const name of NAMES) await wipe(name);
  const pair = await GlowwormPair.open(NAMES);
  kept = pair;
  return measurePayments(pair, count, inFlight);
}

async function cold(): Promise<ColdResult> {
  const began = performance.now();
  const store = await openStore({ name: NAMES[0] });
  const now = (): number => Date.now();
  const node = new SimulatedNode({ name: 'a', store, now, soon: (callback) => queueMicrotask(callback) });
  if (node.manager.channels()[0]?.state.kind !== 'open') throw new Error('the channel is gone after a restart');
  const engineMs = performance.now() - began;
  kept = node;
  store.close();
  return { engineMs };
}

serveJobs({
  payments: ({ count, inFlight }) => payments(count, inFlight),
  cold,
  wasmBytes: () => Promise.resolve(kept === undefined ? Number.NaN : 0),
});
