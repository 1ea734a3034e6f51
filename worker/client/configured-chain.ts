import { CHAIN_PARAMETERS, signetParameters, type ChainParameters } from '../edges/chain/chain-parameters.ts';
import { checkpointHashes } from '../edges/chain/checkpoints.ts';
import type { LoadCheckpoints } from '../edges/chain/old-headers.ts';
import { GlowwormError } from '../engine/primitives/errors.ts';
import type { WalletConfig } from './api.ts';

/** The chain that a wallet is configured for, and what the program knows of its old blocks. */
export interface ConfiguredChain extends ChainParameters {
  readonly oldHashes: LoadCheckpoints;
}

/** Throws `ArgumentInvalid` for a signet or a checkpoint that the network does not go with. */
export function configuredChain({
  network,
  signet,
  checkpoint,
}: Pick<WalletConfig, 'network' | 'signet' | 'checkpoint'>): ConfiguredChain {
  if (signet !== undefined && network !== 'signet') throw invalid('signet', 'a signet goes with the network signet');
  // The others' own go with the hashes of their old blocks.
  if (checkpoint !== undefined && signet === undefined && network !== 'mutinynet')
    throw invalid('checkpoint', 'a checkpoint goes with mutinynet, or with a signet of your own');
  if (signet !== undefined)
    return { ...signetParameters(signet.blockSeconds, checkpoint), oldHashes: async () => new Uint8Array(0) };
  const parameters = CHAIN_PARAMETERS[network];
  return {
    ...parameters,
    checkpoint: checkpoint ?? parameters.checkpoint,
    oldHashes: () => checkpointHashes(network),
  };
}

const invalid = (name: string, why: string): GlowwormError =>
  new GlowwormError('ArgumentInvalid', `config.${name}: ${why}.`, { name });
