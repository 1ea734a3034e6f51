import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { close, listen } from './http-server.ts';

export interface StaticSite {
  /** The directory of the built files. */
  readonly directory: string;
  /** Origins that pages and workers may connect to. */
  readonly connectsTo: readonly string[];
  /** JSON documents by path, served beside the files. */
  readonly documents: Readonly<Record<string, unknown>>;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

/** Serves a built single-page application on the loopback interface: paths that are no file lead to `index.html`. */
export class StaticServer {
  readonly #site: StaticSite;
  readonly #server: Server;
  #port = 0;

  constructor(site: StaticSite) {
    this.#site = site;
    this.#server = createServer((request, response) => {
      const path = pathOf(request.url ?? '/');
      if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405).end();
      else if (path === undefined) response.writeHead(400).end();
      else void this.#serve(path, response);
    });
  }

  async listen(port = 0): Promise<number> {
    this.#port = await listen(this.#server, port);
    return this.#port;
  }

  stop(): Promise<void> {
    return close(this.#server);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async #serve(path: string, response: ServerResponse): Promise<void> {
    const document = this.#site.documents[path];
    if (document !== undefined) return this.#send(response, '.json', JSON.stringify(document));
    const wanted = path.endsWith('/') ? `${path}index.html` : path;
    const file = await read(join(this.#site.directory, wanted));
    if (file !== undefined) return this.#send(response, extname(wanted), file);
    const page = extname(path) === '' ? await read(join(this.#site.directory, 'index.html')) : undefined;
    if (page === undefined) response.writeHead(404, this.#headers('.txt')).end('not found');
    else this.#send(response, '.html', page);
  }

  #send(response: ServerResponse, extension: string, body: string | Uint8Array): void {
    response.writeHead(200, this.#headers(extension)).end(body);
  }

  /** A worker obeys the policy its own script came with, so every file carries it. */
  #headers(extension: string): Record<string, string> {
    return {
      'Content-Type': CONTENT_TYPES[extension] ?? 'application/octet-stream',
      'Content-Security-Policy': [
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "manifest-src 'self'",
        `connect-src 'self' ${this.#site.connectsTo.join(' ')}`,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cache-Control': 'no-cache',
    };
  }
}

/** The request's path, if it stays below the root. */
function pathOf(url: string): string | undefined {
  try {
    const path = decodeURIComponent(new URL(url, 'http://static').pathname);
    return path.includes('\0') || path.split(/[\\/]/).includes('..') ? undefined : path;
  } catch {
    return undefined;
  }
}

async function read(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file);
  } catch {
    return undefined;
  }
}
