import { GlowwormError } from '../../engine/primitives/errors.ts';
import { badReply, rateLimited, unavailable } from './chain-source-error.ts';
import type { ChainPlatform } from './platform.ts';

export interface HttpReply {
  readonly status: number;
  readonly body: string;
}

/** More than any transaction in hex; a body beyond it is refused. */
const MAX_BODY = 9_000_000;

/**
 * GET and POST below one base URL, with a time limit over the whole answer. Throws `ChainSourceUnavailable`,
 * `ChainSourceRateLimited`, and `ChainSourceBadReply` where a web page came instead of an answer; other statuses below
 * 500 are values.
 */
export class EsploraHttp {
  readonly baseUrl: string;
  readonly #platform: ChainPlatform;
  readonly #timeoutMs: number;

  constructor(baseUrl: string, platform: ChainPlatform, timeoutMs: number) {
    this.baseUrl = baseUrl.replace(/\/+$/, '');
    this.#platform = platform;
    this.#timeoutMs = timeoutMs;
  }

  get(path: string): Promise<HttpReply> {
    return this.#request(path, {});
  }

  post(path: string, body: string): Promise<HttpReply> {
    return this.#request(path, { method: 'POST', body });
  }

  async #request(path: string, init: RequestInit): Promise<HttpReply> {
    const abort = new AbortController();
    const cancel = this.#platform.after(this.#timeoutMs, () => abort.abort());
    try {
      const response = await this.#platform.fetch(`${this.baseUrl}${path}`, { ...init, signal: abort.signal });
      return this.#checked(response, await response.text());
    } catch (error) {
      if (error instanceof GlowwormError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw unavailable(this.baseUrl, abort.signal.aborted ? 'no answer in time' : why);
    } finally {
      cancel();
    }
  }

  #checked({ status, headers }: Response, body: string): HttpReply {
    if (status === 429) throw rateLimited(this.baseUrl);
    if (status >= 500) throw unavailable(this.baseUrl, `status ${status}`);
    if (body.length > MAX_BODY) throw badReply(this.baseUrl, 'more bytes than a block');
    // A captive portal or a gateway's error page comes with any status.
    if (headers.get('content-type')?.includes('text/html') || /^\s*<(!doctype|html)/i.test(body))
      throw badReply(this.baseUrl, 'a web page');
    return { status, body };
  }
}
