import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { build } from 'vite';
import type { JobRequest, PaymentsResult } from './jobs.ts';

const root = join(import.meta.dirname, '../..');
const out = mkdtempSync(join(tmpdir(), 'glowworm-bench-'));
const SEQUENTIAL = Number(process.env['BENCH_PAYMENTS'] ?? 1000);
const BATCHED = Math.min(SEQUENTIAL, 500);
const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-blink-features=ForceEagerMeasureMemory',
];
const ENGINES = ['glowworm', 'ldk'] as const;
type Engine = (typeof ENGINES)[number];

interface Row {
  readonly row: string;
  readonly glowworm: number;
  readonly ldk: number;
  readonly unit: string;
}

await build({
  root,
  configFile: false,
  logLevel: 'warn',
  build: {
    outDir: out,
    emptyOutDir: true,
    target: 'es2022',
    rollupOptions: {
      input: {
        page: join(import.meta.dirname, 'page.ts'),
        glowworm: join(import.meta.dirname, 'glowworm-worker.ts'),
        ldk: join(import.meta.dirname, 'ldk-worker.ts'),
      },
      external: ['crypto'],
      output: { entryFileNames: '[name].js' },
    },
  },
});

const wasm = createRequire(import.meta.url).resolve('lightningdevkit/liblightningjs.wasm');
const server = createServer((request, response) => {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
  const send = (type: string, body: string | Buffer): void => {
    response.writeHead(200, { ...headers, 'Content-Type': type }).end(body);
  };
  if (path === '/') return send('text/html', '<!doctype html><script type="module" src="/page.js"></script>');
  if (path === '/ldk.wasm') return send('application/wasm', readFileSync(wasm));
  const file = files(out).find((each) => `/${each}` === path);
  if (file === undefined) return void response.writeHead(404).end();
  return send('text/javascript', readFileSync(join(out, file)));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = server.address();
const url = `http://localhost:${typeof address === 'object' ? (address?.port ?? 0) : 0}/`;

const rows: Row[] = [];
try {
  const results = new Map<Engine, Map<string, number>>();
  for (const engine of ENGINES) results.set(engine, await measure(engine));
  for (const [name, value] of results.get('glowworm') ?? [])
    rows.push({ row: name, glowworm: value, ldk: results.get('ldk')?.get(name) ?? Number.NaN, unit: unitOf(name) });
  for (const row of rows) console.log(JSON.stringify(row));
  console.log(table(rows));
} finally {
  server.close();
  rmSync(out, { recursive: true, force: true });
}

async function measure(engine: Engine): Promise<Map<string, number>> {
  const values = new Map<string, number>();
  for (const inFlight of [50, 10, 1])
    await inBrowser(async (page, profileRun) => {
      const count = inFlight === 1 ? SEQUENTIAL : BATCHED;
      const result = (await profileRun(page, { job: 'payments', count, inFlight })) as PaymentsResult;
      console.log(JSON.stringify({ engine, cpu: cpus()[0]?.model, ...result }));
      values.set(`payments/s, ${inFlight} in flight`, result.perSecond);
      values.set(`p50 ms, ${inFlight} in flight`, result.p50);
      values.set(`p99 ms, ${inFlight} in flight`, result.p99);
      for (const mark of result.marks)
        for (const [index, side] of mark.sides.entries()) {
          const name = ['sender', 'receiver'][index] ?? '';
          values.set(`strict transactions of payment ${mark.payment}, ${name}`, side.transactions);
          values.set(`durable bytes of payment ${mark.payment}, ${name}`, side.bytes);
        }
      if (inFlight !== 1) return;
      values.set('memory MB, two nodes, JS', (await page.evaluate('bench.memory()') as number) / 1e6);
      await page.evaluate('bench.end()');
      const colds: number[] = [];
      for (let i = 0; i < 5; i++) {
        await page.evaluate(`bench.start('/${engine}.js')`);
        colds.push(((await page.evaluate(`bench.run({ job: 'cold' })`)) as { ms: number }).ms);
        await page.evaluate('bench.end()');
      }
      values.set('cold start ms', colds.toSorted((a, b) => a - b)[2] ?? Number.NaN);
    }, engine);
  values.set('worker gzip kB', sizeOf(engine) / 1000);
  return values;
}

type Run = (page: Page, request: JobRequest) => Promise<unknown>;

/** A browser with a profile on disk, so that strict writes reach a file system. */
async function inBrowser(work: (page: Page, run: Run) => Promise<void>, engine: Engine): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), 'glowworm-profile-'));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: ARGS,
  });
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction('globalThis.bench');
    await page.evaluate(`bench.start('/${engine}.js')`);
    await work(page, (each, request) => each.evaluate(`bench.run(${JSON.stringify(request)})`));
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** The worker's script with every chunk it loads; for LDK also its wasm. */
function sizeOf(engine: Engine): number {
  const scripts = chunksOf(`${engine}.js`, new Set());
  const bytes = [...scripts].reduce((sum, file) => sum + gzipSync(readFileSync(join(out, file)), { level: 9 }).length, 0);
  return engine === 'ldk' ? bytes + gzipSync(readFileSync(wasm), { level: 9 }).length : bytes;
}

function chunksOf(file: string, seen: Set<string>): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const source = readFileSync(join(out, file), 'utf8');
  for (const [, imported] of source.matchAll(/from\s*["']([^"']+\.js)["']/g))
    for (const each of files(out)) if (basename(each) === basename(imported ?? '')) chunksOf(each, seen);
  return seen;
}

function files(directory: string, below = ''): string[] {
  return readdirSync(join(directory, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    return entry.isDirectory() ? files(directory, path) : [path];
  });
}

function unitOf(name: string): string {
  return name.startsWith('payments/s') ? 'higher is better' : 'lower is better';
}

function table(all: readonly Row[]): string {
  const cells = all.map(({ row, glowworm, ldk }) => [row, show(glowworm), show(ldk), show(glowworm / ldk)]);
  const lines = [['row', 'glowworm', 'LDK wasm', 'ratio'], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}

function show(value: number): string {
  if (Number.isNaN(value)) return '-';
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
