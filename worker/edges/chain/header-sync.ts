import { badReply } from './chain-source-error.ts';
import type { BlockHeader } from './block-header.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { HeaderChain } from './header-chain.ts';

export interface HeaderSync {
  readonly chain: HeaderChain;
  /** Highest block that both the old chain and the new one have; absent when nothing was replaced. */
  readonly disconnectedTo?: number;
}

/** A gap of up to so many blocks is asked for block by block. */
const SINGLE = 3;

/**
 * Follows the source to its tip, checking every header. One request per block for a few blocks, one per ten for many.
 * Throws the `ChainSource` errors, and `HeadersInvalid` for a chain that breaks the rules or has less work.
 */
export async function syncHeaders(api: EsploraApi, chain: HeaderChain, tipHash: string): Promise<HeaderSync> {
  if (chain.tip.header.hash === tipHash) return { chain };
  const added = (await downByHash(api, chain, tipHash)) ?? (await downByHeight(api, chain));
  const forkHeight = heightOf(chain, added[0]?.previousHash ?? tipHash);
  if (forkHeight === undefined) throw badReply(api.baseUrl, 'a chain without the blocks that are known');
  const extended = chain.extend(forkHeight, added);
  return forkHeight < chain.tip.height ? { chain: extended, disconnectedTo: forkHeight } : { chain: extended };
}

async function downByHash(api: EsploraApi, chain: HeaderChain, tipHash: string): Promise<BlockHeader[] | undefined> {
  const added: BlockHeader[] = [];
  for (let hash = tipHash; heightOf(chain, hash) === undefined;) {
    if (added.length === SINGLE) return undefined;
    const header = await api.header(hash);
    if (!header) throw badReply(api.baseUrl, 'a tip that it does not know');
    added.unshift(header);
    hash = header.previousHash;
  }
  return added;
}

async function downByHeight(api: EsploraApi, chain: HeaderChain): Promise<BlockHeader[]> {
  const added: BlockHeader[] = [];
  for (let height = await api.tipHeight(); height > chain.lowest; height = height - 10) {
    for (const { header } of await api.headersDownFrom(height)) {
      if (added[0] && added[0].previousHash !== header.hash) throw badReply(api.baseUrl, 'blocks that do not link');
      added.unshift(header);
      if (heightOf(chain, header.previousHash) !== undefined) return added;
    }
  }
  throw badReply(api.baseUrl, 'a chain without the blocks that are known');
}

/** Searches from the tip: forks are near it. */
function heightOf(chain: HeaderChain, hash: string): number | undefined {
  for (let height = chain.tip.height; height >= chain.lowest; height--) if (chain.has(height, hash)) return height;
  return undefined;
}
