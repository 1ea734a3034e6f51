import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const root = join(import.meta.dirname, '../..');

export const ldkWasm: string = createRequire(import.meta.url).resolve('lightningdevkit/liblightningjs.wasm');

/** Compressed sizes in bytes of what each engine's users load. */
export interface Sizes {
  readonly glowworm: { readonly worker: number; readonly facade: number; readonly page: number };
  readonly ldk: { readonly worker: number };
}

/** Bundles the page and the workers of the benchmark into `directory`. */
export async function buildBench(directory: string): Promise<void> {
  const entry = (name: string): string => join(import.meta.dirname, name);
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    build: {
      outDir: directory,
      emptyOutDir: true,
      target: 'es2022',
      reportCompressedSize: false,
      rollupOptions: {
        input: { page: entry('page.ts'), glowworm: entry('glowworm-worker.ts'), ldk: entry('ldk-worker.ts') },
        // Asked for by LDK's bindings only where there is no global of that name.
        external: ['crypto'],
        output: { entryFileNames: '[name].js' },
      },
    },
  });
}

/** Glowworm as it is shipped, built below `directory`; for LDK the benchmark's worker with its chunks, and the wasm. */
export async function measureSizes(directory: string, benchDirectory: string): Promise<Sizes> {
  const [page, library] = [join(directory, 'page'), join(directory, 'library')];
  const entry = join(root, 'src/index.ts');
  mkdirSync(directory, { recursive: true });
  await build({ root, logLevel: 'error', build: { outDir: page, emptyOutDir: true } });
  await build({
    root,
    logLevel: 'error',
    publicDir: false,
    build: { outDir: library, emptyOutDir: true, lib: { entry, formats: ['es'], fileName: 'index' } },
  });
  const built = filesBelow(page).map((file) => join(page, file));
  const isWorker = (file: string): boolean => /^main-.*\.js$/.test(basename(file));
  const ldkScripts = [...chunksOf(benchDirectory, 'ldk.js', new Set())].map((file) => join(benchDirectory, file));
  return {
    glowworm: {
      worker: gzipped(built.filter(isWorker)),
      facade: gzipped([join(library, 'index.js')]),
      page: gzipped(built.filter((file) => !isWorker(file))),
    },
    ldk: { worker: gzipped([...ldkScripts, ldkWasm]) },
  };
}

export function filesBelow(directory: string, below = ''): readonly string[] {
  return readdirSync(join(directory, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    return entry.isDirectory() ? filesBelow(directory, path) : [path];
  });
}

/** A script and every script that it imports. */
function chunksOf(directory: string, file: string, seen: Set<string>): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const source = readFileSync(join(directory, file), 'utf8');
  for (const [, imported] of source.matchAll(/from\s*["'`]([^"'`]+\.js)["'`]/g))
    for (const each of filesBelow(directory))
      if (basename(each) === basename(imported ?? '')) chunksOf(directory, each, seen);
  return seen;
}

function gzipped(files: readonly string[]): number {
  if (files.length === 0) throw new Error('the build has other files than expected');
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);
}
