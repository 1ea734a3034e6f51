import { EsploraApi } from '../../../worker/edges/chain/esplora-api.ts';
import { REQUEST_TIMEOUT_MS } from '../../../worker/edges/chain/esplora-http.ts';
import type { ChainPlatform } from '../../../worker/edges/chain/platform.ts';

/** A server of regtest, asked as the wallet asks. */
export const esploraAt = (
  baseUrl: string,
  platform: ChainPlatform,
  timeoutMs: number = REQUEST_TIMEOUT_MS,
): EsploraApi => new EsploraApi(baseUrl, platform, { network: 'regtest', timeoutMs });
