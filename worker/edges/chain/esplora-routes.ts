import { badReply } from './chain-source-error.ts';
import type { EsploraHttp, HttpReply } from './esplora-http.ts';

/** What some servers do not have, or not in this way. */
export type OptionalRoute =
  | 'outspend'
  | 'outspends'
  | 'coinbase'
  | 'chainPages'
  | 'scripthash'
  | 'feeEstimates'
  /** A package whose body has no type of its own. */
  | 'untypedPackage';

/** GETs of one server by what its statuses mean. */
export class EsploraRoutes {
  readonly #http: EsploraHttp;
  /** Routes that the server was asked for, and does not have. */
  readonly #lacks = new Set<OptionalRoute>();

  constructor(http: EsploraHttp) {
    this.#http = http;
  }

  /** Throws `ChainSourceBadReply` for everything but an answer, beside the errors of the request. */
  async text(path: string): Promise<string> {
    return this.ok(await this.#http.get(path));
  }

  /** `undefined` for what the server does not know. A page that says "not found" is no server's answer. */
  async optionalText(path: string): Promise<string | undefined> {
    const reply = await this.#http.get(path);
    return reply.status === 404 && !reply.isPage ? undefined : this.ok(reply);
  }

  /** The answer of a route that not every server has; `undefined` where this one does not have it, or not what is asked for. */
  async tried(route: OptionalRoute, path: string): Promise<string | undefined> {
    if (this.lacks(route)) return undefined;
    const reply = await this.#http.get(path);
    if (reply.status !== 404 && reply.status !== 405) return this.ok(reply);
    // A program says with a page that it has no such route; without one it may mean what was asked for.
    if (reply.isPage) this.missing(route);
    return undefined;
  }

  lacks(route: OptionalRoute): boolean {
    return this.#lacks.has(route);
  }

  missing(route: OptionalRoute): void {
    this.#lacks.add(route);
  }

  ok({ status, body, isPage }: HttpReply): string {
    if (isPage) throw badReply(this.#http.baseUrl, 'a web page');
    if (status < 200 || status > 299) throw badReply(this.#http.baseUrl, `status ${status}`);
    return body;
  }
}
