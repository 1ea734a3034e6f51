import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { filesBelow, ldkWasm } from './scripts.ts';

export interface BenchServer {
  readonly url: string;
  close(): void;
}

/** Isolated from other origins, which a memory measurement asks for; cached, as for a visitor who comes again. */
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cache-Control': 'max-age=3600',
};

const PAGE = '<!doctype html><title>Benchmark</title><script type="module" src="/page.js"></script>';

/** Serves the scripts below `directory`, a page for them and LDK's wasm. */
export async function serveBench(directory: string): Promise<BenchServer> {
  const bodies = new Map<string, string | Buffer>([
    ['/', PAGE],
    ['/ldk.wasm', readFileSync(ldkWasm)],
    ...filesBelow(directory).map((file) => [`/${file}`, readFileSync(join(directory, file))] as const),
  ]);
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const body = bodies.get(path);
    if (body === undefined) response.writeHead(404).end();
    else response.writeHead(200, { ...HEADERS, 'Content-Type': typeOf(path) }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { url: `http://localhost:${address.port}/`, close: () => void server.close() };
}

function typeOf(path: string): string {
  switch (extname(path)) {
    case '.js':
      return 'text/javascript';
    case '.wasm':
      return 'application/wasm';
    default:
      return 'text/html';
  }
}
