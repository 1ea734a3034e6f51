import { ChainSync, type ChainSyncOptions } from '../../../worker/edges/chain/chain-sync.ts';
import type { HeaderChain } from '../../../worker/edges/chain/header-chain.ts';
import { HeaderSync } from '../../../worker/edges/chain/header-sync.ts';
import { WatchList } from '../../../worker/edges/chain/watch-list.ts';
import { noOldHeaders, regtestChain } from './regtest-headers.ts';

/** Follows servers of regtest from the first block on, as a new wallet does, and watches nothing. */
export const syncOf = (
  options: Pick<ChainSyncOptions, 'sources' | 'platform'> & Partial<ChainSyncOptions>,
): ChainSync =>
  new ChainSync({
    headers: regtestChain(),
    oldHeaders: noOldHeaders(),
    told: undefined,
    watchList: new WatchList(),
    onHeaders: () => undefined,
    onUpdate: () => undefined,
    onPolled: () => undefined,
    intervalMs: 30_000,
    ...options,
  });

/** `now` is in milliseconds since 1970. */
export const headerSyncOf = (
  best: HeaderChain,
  now: () => number = () => 0,
  onBest: (best: HeaderChain) => void = () => undefined,
): HeaderSync => new HeaderSync(best, now, onBest);
