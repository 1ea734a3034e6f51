import { badReply } from './chain-source-error.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { TxStatus } from './esplora-reply.ts';
import type { RoundFindings } from './round-findings.ts';
import type { SeenAt } from './watch-list.ts';

/** Fetches and proves a transaction that a server says to be in a block of the chain. `undefined` where that is not in it. */
export async function sightingOf(
  api: EsploraApi,
  found: RoundFindings,
  txid: string,
  status: TxStatus,
): Promise<SeenAt | undefined> {
  if (!status.confirmed) return undefined;
  const { blockHeight: height, blockHash } = status;
  const { chain, old, proven } = found.view;
  const isOld = height < chain.lowest;
  const header = isOld ? await old.prove(api, chain, height) : chain.at(height);
  // No block comes to be below the checkpoint any more.
  if (isOld && header?.hash !== blockHash) throw badReply(api.baseUrl, 'a block that is not at its height');
  if (header?.hash !== blockHash) return undefined;
  found.addConfirmed(height, txid, await proven.prove(api, txid, height, header));
  return { txid, height };
}
