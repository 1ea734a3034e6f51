import { openStore } from '../../worker/edges/storage/indexeddb-store.ts';
import { SimulatedNode, type ParsedInvoice } from '../simulation/node.ts';
import { openPair, settled, until, type Side, type WriteCounts } from './engine-pair.ts';
import { quantile, serveJobs, type PaymentsResult } from './jobs.ts';

const NAMES = ['bench-a', 'bench-b'] as const;
const AMOUNT_MSAT = 10_000n;

/** The pair stays reachable, so that a memory measurement counts it. */
let kept: readonly Side[] = [];

async function payments(count: number, inFlight: number): Promise<PaymentsResult> {
  for (const name of NAMES) await wipe(name);
  const [a, b] = await openPair(NAMES);
  kept = [a, b];
  const invoices: ParsedInvoice[] = [];
  for (let i = 0; i < count; i++) invoices.push(a.node.parse(b.node.invoice(AMOUNT_MSAT)));
  await settled(a, b);
  const [latencies, marks]: [number[], PaymentsResult['marks'][number][]] = [[], []];
  const started = performance.now();
  for (let done = 0; done < count; done += inFlight) {
    const before = [a, b].map((side) => ({ ...side.store.counts }));
    const began = performance.now();
    for (const invoice of invoices.slice(done, done + inFlight)) a.node.payParsed(invoice);
    await until(() => isQuiet(a, b));
    await settled(a, b);
    latencies.push(performance.now() - began);
    for (const side of [a, b]) side.node.acknowledgeAll();
    const after = [a, b].map((side, index) => difference(side.store.counts, before[index]));
    if (inFlight === 1 && [10, 1000].includes(done + 1)) marks.push({ payment: done + 1, sides: after });
  }
  const ms = performance.now() - started;
  const succeeded = a.node.manager.payments.outbound().filter(({ state }) => state.kind === 'succeeded').length;
  if (succeeded !== count) throw new Error(`${succeeded} of ${count} payments succeeded`);
  return { count, inFlight, perSecond: (count / ms) * 1000, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), marks };
}

/** From the database to an engine that knows its channel and could connect. */
async function cold(): Promise<{ ms: number }> {
  const began = performance.now();
  const store = await openStore({ name: NAMES[0] });
  const node = new SimulatedNode({ name: 'a', store, now: () => Date.now(), soon: (callback) => queueMicrotask(callback) });
  if (node.manager.channels()[0]?.state.kind !== 'open') throw new Error('the channel is there after a restart');
  const ms = performance.now() - began;
  store.close();
  return { ms };
}

function isQuiet(...sides: readonly Side[]): boolean {
  return sides.every(({ node }) => {
    const state = node.manager.channels()[0]?.state;
    if (state?.kind !== 'open') return false;
    const { holderCommit, counterpartyCommit, counterpartyNext, holderChanges, counterpartyChanges } = state.commitments;
    const changes = [...Object.values(holderChanges), ...Object.values(counterpartyChanges)].flat().length;
    const htlcs = holderCommit.spec.htlcs.length + counterpartyCommit.spec.htlcs.length;
    return counterpartyNext.kind === 'ready' && changes + htlcs === 0;
  });
}

const difference = (after: WriteCounts, before: WriteCounts | undefined): WriteCounts => ({
  transactions: after.transactions - (before?.transactions ?? 0),
  bytes: after.bytes - (before?.bytes ?? 0),
});

const wipe = (name: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error ?? new Error('the database cannot be deleted'));
  });

serveJobs({
  payments: ({ count, inFlight }) => payments(count, inFlight),
  cold,
  kept: () => Promise.resolve(kept.length),
});
