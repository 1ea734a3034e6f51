import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { serveBench } from './bench-server.ts';
import { inBrowser } from './browser.ts';
import type { ColdResult, JobRequest } from './jobs.ts';
import type { PaymentsResult } from './payments.ts';
import { buildBench, measureSizes } from './scripts.ts';
import { ENGINES, Results, table, type Engine } from './table.ts';

const SEQUENTIAL = Number(process.env['BENCH_PAYMENTS'] ?? 1000);
const BATCHED = Math.min(SEQUENTIAL, 500);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
/** No round begins that would probably end after this. */
const LIMIT_MS = 9 * 60_000;
const COLD_STARTS = 5;
const SIDES = ['sender', 'receiver'];

const results = new Results();
const directory = mkdtempSync(join(tmpdir(), 'glowworm-bench-'));
const scripts = join(directory, 'bench');
await buildBench(scripts);
const server = await serveBench(scripts);
try {
  const began = Date.now();
  for (let round = 1; round <= ROUNDS; round++) {
    if (Date.now() - began + (Date.now() - began) / Math.max(1, round - 1) > LIMIT_MS) break;
    // The engines take turns, so that a busy minute of the machine hits both.
    for (const inFlight of [50, 10, 1]) for (const engine of ENGINES) await measure(engine, inFlight, round);
  }
  await addSizes();
  for (const row of results.rows()) console.log(JSON.stringify(row));
  console.log(`\n${table(results.rows())}`);
} finally {
  server.close();
  rmSync(directory, { recursive: true, force: true });
}

async function measure(engine: Engine, inFlight: number, round: number): Promise<void> {
  await inBrowser(server.url, async (page) => {
    await page.evaluate(`bench.start('/${engine}.js')`);
    const before = processorTimes();
    const count = inFlight === 1 ? SEQUENTIAL : BATCHED;
    const result = (await ask(page, { job: 'payments', count, inFlight })) as PaymentsResult;
    report({ engine, round, ...result, busyCores: busyCores(before, processorTimes()) });
    addPayments(engine, result);
    if (inFlight !== 1) return;
    await addMemory(engine, page);
    await page.evaluate('bench.end()');
    await addColdStarts(engine, page);
  });
}

function addPayments(engine: Engine, { inFlight, perSecond, p50, p99, writes }: PaymentsResult): void {
  results.add(engine, `payments/s, ${inFlight} in flight`, perSecond);
  results.add(engine, `p50 ms${inFlight === 1 ? '' : ' of a batch'}, ${inFlight} in flight`, p50);
  results.add(engine, `p99 ms${inFlight === 1 ? '' : ' of a batch'}, ${inFlight} in flight`, p99);
  for (const { of, sides } of writes)
    for (const [index, { transactions, bytes }] of sides.entries()) {
      results.add(engine, `strict transactions, ${of}, ${SIDES[index] ?? ''}`, transactions);
      results.add(engine, `durable bytes, ${of}, ${SIDES[index] ?? ''}`, bytes);
    }
}

async function addMemory(engine: Engine, page: Page): Promise<void> {
  const wasm = (await ask(page, { job: 'wasmBytes' })) as number;
  const script = (await page.evaluate('bench.memory()')) as number;
  report({ engine, memory: { script, wasm } });
  results.add(engine, 'memory MB, page with both nodes, wasm included', (script + wasm) / 1e6);
}

async function addColdStarts(engine: Engine, page: Page): Promise<void> {
  for (let i = 0; i < COLD_STARTS; i++) {
    const cold = (await page.evaluate(`bench.cold('/${engine}.js')`)) as { ms: number; answer: ColdResult };
    await page.evaluate('bench.end()');
    report({ engine, cold });
    results.add(engine, `cold start ms after ${SEQUENTIAL} payments, from new Worker`, cold.ms);
    results.add(engine, `cold start ms after ${SEQUENTIAL} payments, inside the worker`, cold.answer.engineMs);
  }
}

async function addSizes(): Promise<void> {
  const { glowworm, ldk } = await measureSizes(join(directory, 'shipped'), scripts);
  results.add('glowworm', 'worker gzip kB, wasm included', glowworm.worker / 1000);
  results.add('ldk', 'worker gzip kB, wasm included', ldk.worker / 1000);
  results.add('glowworm', 'façade gzip kB', glowworm.facade / 1000);
  results.add('glowworm', 'page of the reference wallet gzip kB, all but the worker', glowworm.page / 1000);
}

function ask(page: Page, request: JobRequest): Promise<unknown> {
  return page.evaluate(`bench.run(${JSON.stringify(request)})`);
}

/** One line, with what else the machine was doing. */
function report(line: object): void {
  const load = loadavg().map((value) => Number(value.toFixed(2)));
  console.log(JSON.stringify({ ...line, load, cpus: cpus().length, cpu: cpus()[0]?.model }));
}

function processorTimes(): { readonly idle: number; readonly all: number } {
  const times = cpus().map((cpu) => cpu.times);
  const all = times.reduce((sum, each) => sum + Object.values(each).reduce((a, b) => a + b, 0), 0);
  return { idle: times.reduce((sum, { idle }) => sum + idle, 0), all };
}

/** Of the whole machine, this benchmark included. */
function busyCores(before: ReturnType<typeof processorTimes>, after: ReturnType<typeof processorTimes>): number {
  const share = 1 - (after.idle - before.idle) / (after.all - before.all);
  return Number((share * cpus().length).toFixed(2));
}
