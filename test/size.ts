import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

/** Budgets in bytes after gzip. The page's is for what a first visit loads, façade and styles included. */
const BUDGETS = { worker: 195_000, facade: 4_000, page: 24_000 } as const;

const root = join(import.meta.dirname, '..');
const out = mkdtempSync(join(tmpdir(), 'glowworm-size-'));
try {
  await build({ root, logLevel: 'warn', build: { outDir: join(out, 'page'), emptyOutDir: true } });
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    worker: { format: 'es' },
    build: {
      outDir: join(out, 'facade'),
      emptyOutDir: true,
      target: 'es2022',
      lib: { entry: join(root, 'src/index.ts'), formats: ['es'], fileName: 'facade' },
      minify: 'oxc',
    },
  });
  const page = join(out, 'page', 'assets');
  const html = readFileSync(join(out, 'page', 'index.html'), 'utf8');
  const sizes = {
    worker: gzipped(page, (file) => /^main-.*\.js$/.test(file) && !html.includes(file)),
    facade: gzipped(join(out, 'facade'), (file) => file.startsWith('facade')),
    page: gzipped(page, (file) => html.includes(file)),
  };
  for (const [name, size] of Object.entries(sizes)) {
    const budget = BUDGETS[name as keyof typeof BUDGETS];
    console.log(`${name}: ${size} of ${budget} bytes gzip`);
    if (size > budget || size === 0) process.exitCode = 1;
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}

function gzipped(directory: string, wanted: (file: string) => boolean): number {
  return readdirSync(directory)
    .filter(wanted)
    .reduce((sum, file) => sum + gzipSync(readFileSync(join(directory, file)), { level: 9 }).length, 0);
}
