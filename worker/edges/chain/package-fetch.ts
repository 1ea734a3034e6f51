import { EsploraHttp, REQUEST_TIMEOUT_MS } from './esplora-http.ts';
import { workerPlatform } from './platform.ts';

/**
 * What `esplora-client` gets instead of `fetch-plus-plus` (an alias in `vite.config.ts`), which reads an answer to its end however
 * long that is, takes what the browser has kept, and reaches for Node's `http`. Gives JSON as a value, and other text as it is.
 */
export default async function fetchOnce(url: string): Promise<unknown> {
  const { origin, pathname, search } = new URL(url);
  const { status, body } = await new EsploraHttp(origin, workerPlatform, REQUEST_TIMEOUT_MS).get(
    `${pathname}${search}`,
  );
  if (status < 200 || status > 299) throw new Error(`status ${status}`);
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
