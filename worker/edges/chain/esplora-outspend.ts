import { GlowwormError } from '../../engine/primitives/errors.ts';
import { decodeTransaction } from '../../engine/transactions/transaction.ts';
import { badReply, isRateLimited } from './chain-source-error.ts';
import type { EsploraApi, OutputName } from './esplora-api.ts';
import type { Outspend, ReplyReader } from './esplora-reply.ts';
import type { EsploraRoutes } from './esplora-routes.ts';

/**
 * What spends an output. Some servers have a route for all outputs of a transaction only, and mempool's own tells that one is spent,
 * but not by what.
 */
export async function lookUpOutspend(
  api: EsploraApi,
  routes: EsploraRoutes,
  reader: ReplyReader,
  output: OutputName,
): Promise<Outspend> {
  const one = await routes.tried('outspend', `/tx/${output.txid}/outspend/${output.vout}`);
  if (one !== undefined) return reader.outspend(reader.json(one));
  const all = await outspendsOf(api, routes, output.txid);
  if (all === undefined) return { spent: false, isUnknown: true };
  routes.missing('outspend');
  const found = reader.outspends(reader.json(all), output.vout);
  if (found !== 'spent') return found;
  const rawTx = await api.transaction(output.txid);
  const spent = rawTx && decodeTransaction(rawTx).outputs[output.vout];
  if (!spent) throw badReply(api.baseUrl, 'a spending of nothing');
  return { spent: true, ...(await api.spenderIn(spent.script, output)) };
}

/**
 * `undefined` for a transaction that the server does not know, which it says by "not found", or by failing. Of one in a block either
 * would hide a spending.
 */
async function outspendsOf(api: EsploraApi, routes: EsploraRoutes, txid: string): Promise<string | undefined> {
  const all = await routes.tried('outspends', `/tx/${txid}/outspends`).catch((error: unknown) => {
    if (error instanceof GlowwormError && !isRateLimited(error)) return error;
    throw error;
  });
  if (typeof all === 'string') return all;
  if (all !== undefined && (await routes.optionalText(`/tx/${txid}/status`)) !== undefined) throw all;
  const { confirmed } = await api.status(txid);
  if (confirmed) throw badReply(api.baseUrl, 'a transaction of a block without its outputs');
  return undefined;
}
