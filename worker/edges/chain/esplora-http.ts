import { GlowwormError } from '../../engine/primitives/errors.ts';
import { badReply, rateLimited, tooLate, unavailable } from './chain-source-error.ts';
import type { ChainPlatform } from './platform.ts';

export interface HttpReply {
  readonly status: number;
  readonly body: string;
  /** A web page that says "not found": of a program that has no such route, or of something in between. */
  readonly isPage: boolean;
}

/** So long a server has for an answer. */
export const REQUEST_TIMEOUT_MS = 15_000;

/** More than any transaction in hex; a body beyond it is refused. */
const MAX_BODY = 9_000_000;

/**
 * GET and POST below one base URL, with a time limit over the whole answer. Throws `ChainSourceUnavailable`,
 * `ChainSourceRateLimited`, and `ChainSourceBadReply` where a web page came instead of an answer; other statuses below
 * 500 are values, and so is a page that says that there is no such route.
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

  /** A browser asks first whether it may send that type to another origin. */
  postJson(path: string, body: string): Promise<HttpReply> {
    return this.#request(path, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
  }

  async #request(path: string, init: RequestInit): Promise<HttpReply> {
    const abort = new AbortController();
    const cancel = this.#platform.after(this.#timeoutMs, () => abort.abort());
    try {
      const { signal } = abort;
      // Nothing of what the chain said a minute ago is of use.
      const request: RequestInit = { ...init, signal, cache: 'no-store' };
      const response = await this.#platform.fetch(`${this.baseUrl}${path}`, request);
      return this.#checked(response, await this.#bodyOf(response));
    } catch (error) {
      if (error instanceof GlowwormError) throw error;
      if (abort.signal.aborted) throw tooLate(this.baseUrl);
      throw unavailable(this.baseUrl, error instanceof Error ? error.message : String(error));
    } finally {
      cancel();
    }
  }

  /** Bytes are counted as they come: a server could send without end. */
  async #bodyOf(response: Response): Promise<string> {
    const reader = response.body?.getReader();
    // Not every platform has streams.
    if (!reader) return response.text();
    const decoder = new TextDecoder();
    let [body, bytes] = ['', 0];
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      bytes += part.value.length;
      body += decoder.decode(part.value, { stream: true });
      if (bytes <= MAX_BODY) continue;
      void reader.cancel().catch(() => undefined);
      throw badReply(this.baseUrl, 'more bytes than a block');
    }
    return body + decoder.decode();
  }

  #checked({ status, headers }: Response, body: string): HttpReply {
    if (status === 429) throw rateLimited(this.baseUrl);
    if (status >= 500) throw unavailable(this.baseUrl, `status ${status}`);
    // A captive portal or a gateway's error page comes with any status.
    const isPage = headers.get('content-type')?.includes('text/html') === true || /^\s*<(!doctype|html)/i.test(body);
    if (isPage && status !== 404 && status !== 405) throw badReply(this.baseUrl, 'a web page');
    return { status, body, isPage };
  }
}
