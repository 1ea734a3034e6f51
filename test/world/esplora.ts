import { setTimeout as delay } from 'node:timers/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type Random, randomOf } from '../simulation/random.ts';
import type { RegtestChain } from './chain.ts';
import { type EsploraFault, EsploraFaults } from './esplora-faults.ts';
import { type EsploraFlavour, HONEST_FLAVOURS } from './esplora-flavours.ts';
import type { EsploraRoute } from './esplora-route.ts';
import type { ServedSettings } from './esplora-routes.ts';
import { CORS, close, listen, readBody, type Reply, replyServer, text } from './http-server.ts';

/** Feerates in sat/vB by confirmation target in blocks. */
export type FeeEstimates = Readonly<Record<number, number>>;

export const CALM_FEES: FeeEstimates = Object.fromEntries(
  [...Array.from({ length: 25 }, (_, i) => i + 1), 144, 504, 1008].map((target) => [target, calmFee(target)]),
);

/** A request below the server's address, with or without `/api`. */
export interface EsploraRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** The body's, as `Content-Type` has it. */
  readonly type: string;
}

/** What comes of a request, and after how long. */
export interface EsploraAnswer {
  readonly delayMs: number;
  readonly reply: Reply | 'drop' | 'hang';
}

export interface EsploraServerOptions {
  /** Blockstream's when absent. */
  readonly flavour?: EsploraFlavour;
  /** Of what happens by chance in it. */
  readonly seed?: number;
}

/** An Esplora server over the regtest chain, of one of the flavours that real ones have, that fails when it is told to. */
export class EsploraServer implements ServedSettings {
  readonly faults: EsploraFaults = new EsploraFaults();
  feeEstimates: FeeEstimates = CALM_FEES;
  packages = true;
  readonly flavour: EsploraFlavour;
  readonly #routes: readonly EsploraRoute[];
  readonly #server: Server;
  readonly #random: Random;
  readonly #requests = new Map<string, number>();
  #port = 0;

  constructor(chain: RegtestChain, { flavour = HONEST_FLAVOURS[0], seed = 1 }: EsploraServerOptions = {}) {
    this.flavour = flavour;
    this.#random = randomOf(seed);
    this.#routes = flavour.routes(chain, this, this.#random);
    this.#server = replyServer((request, response) => this.#handle(request, response));
  }

  async listen(port = 0): Promise<number> {
    this.#port = await listen(this.#server, port);
    return this.#port;
  }

  stop(): Promise<void> {
    return close(this.#server);
  }

  /** Without a trailing slash; `/api` may follow. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** How often each route was asked for since the last reset, faults included; `other` is what no route matches. */
  get requests(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#requests);
  }

  resetRequests(): void {
    this.#requests.clear();
  }

  /** Answers without a socket; who asks has to wait for `delayMs`. */
  async answer({ method, path: asked, body, type }: EsploraRequest): Promise<EsploraAnswer> {
    const { pathname, searchParams: query } = new URL(asked, 'http://esplora');
    const path = pathname.replace(/^\/api(?=\/)/, '');
    const route = this.#routes.find((candidate) => candidate.method === method && candidate.path.test(path));
    const name = route?.name ?? 'other';
    this.#requests.set(name, (this.#requests.get(name) ?? 0) + 1);
    const fault = this.faults.take(path) ?? this.#chance();
    const delayMs = (this.flavour.delayMs?.(this.#random) ?? 0) + (fault?.kind === 'delay' ? fault.ms : 0);
    if (fault !== undefined && fault.kind !== 'delay') return { delayMs, reply: outcomeOf(fault) };
    if (route === undefined) return { delayMs, reply: this.flavour.unknown(method, path) };
    const reply = await route.reply(route.path.exec(path)?.slice(1) ?? [], { body, type, query });
    return { delayMs, reply: this.#cacheable(name, reply) };
  }

  #chance(): EsploraFault | undefined {
    if (this.#random(100) >= (this.flavour.failsPer100 ?? 0)) return undefined;
    const gateway = '<html><head><title>502 Bad Gateway</title></head></html>';
    const ways: readonly EsploraFault[] = [
      { kind: 'drop' },
      { kind: 'answer', status: 503, body: 'Service Unavailable' },
      { kind: 'answer', status: 502, body: gateway, type: 'text/html' },
    ];
    return ways[this.#random(ways.length)];
  }

  #cacheable(name: string, reply: Reply): Reply {
    const seconds = this.flavour.maxAge(name);
    if (seconds === undefined || reply.status >= 300 || !name.startsWith('/')) return reply;
    return { ...reply, headers: { 'Cache-Control': `public, max-age=${seconds}` } };
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<Reply | undefined> {
    const body = await readBody(request);
    const { method = '', url: path = '/', headers } = request;
    const { delayMs, reply } = await this.answer({ method, path, body, type: headers['content-type'] ?? '' });
    if (delayMs > 0) await delay(delayMs);
    if (reply === 'drop') request.socket.destroy();
    if (reply === 'drop' || reply === 'hang') return undefined;
    const cors = isReadable(this.flavour, reply) ? CORS : {};
    response.writeHead(reply.status, { ...cors, ...reply.headers, 'Content-Type': reply.type }).end(reply.body);
    return undefined;
  }
}

/** Whether a page of another origin may read an answer: what counts requests stands before the server, and allows nothing. */
export const isReadable = ({ withoutCors }: EsploraFlavour, { status }: Reply): boolean =>
  withoutCors !== true && status !== 429;

function outcomeOf(fault: Exclude<EsploraFault, { readonly kind: 'delay' }>): EsploraAnswer['reply'] {
  if (fault.kind !== 'answer') return fault.kind;
  return { ...text(fault.status, fault.body ?? ''), type: fault.type ?? 'text/plain' };
}

function calmFee(target: number): number {
  if (target <= 2) return 10;
  if (target <= 6) return 5;
  return target <= 25 ? 2 : 1;
}
