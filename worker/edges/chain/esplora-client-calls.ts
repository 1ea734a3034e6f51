import { esploraClient } from 'esplora-client';
import { GlowwormError } from '../../engine/primitives/errors.ts';
import { rateLimited, tooLate, unavailable } from './chain-source-error.ts';
import type { ChainPlatform } from './platform.ts';

/**
 * The calls of the `esplora-client` package that the node needs; the replies are unchecked. What the chain is asked for is not among
 * them: the package goes past the server's budget of requests.
 */
export interface EsploraClientCalls {
  feeEstimates(): Promise<unknown>;
}

/**
 * The package's client for a base URL. `undefined` for a URL that it can't be pointed at: it always speaks https, and
 * below `/api` or `/<network>/api`.
 */
export function esploraClientCalls(
  baseUrl: string,
  platform: ChainPlatform,
  timeoutMs: number,
): EsploraClientCalls | undefined {
  const match = /^https:\/\/([^/]+)(?:\/([a-z0-9]+))?\/api$/.exec(baseUrl);
  if (!match?.[1]) return undefined;
  const { bitcoin } = esploraClient({ hostnames: [match[1]], network: match[2] ?? 'mainnet' });
  return {
    feeEstimates: () => withinTime(baseUrl, platform, timeoutMs, () => bitcoin.fees.getFeeEstimates()),
  };
}

/** The package has no time limit, and of an error it leaves the words only. */
async function withinTime(
  baseUrl: string,
  platform: ChainPlatform,
  timeoutMs: number,
  call: () => Promise<unknown>,
): Promise<unknown> {
  let cancel = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = platform.after(timeoutMs, () => reject(tooLate(baseUrl)));
  });
  try {
    return await Promise.race([call(), late]);
  } catch (error) {
    if (error instanceof GlowwormError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw /wants fewer requests/.test(message) ? rateLimited(baseUrl) : unavailable(baseUrl, message);
  } finally {
    cancel();
  }
}
