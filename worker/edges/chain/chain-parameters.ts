import type { Network } from '../../engine/primitives/network.ts';
import type { DifficultyRules } from './difficulty.ts';

/** A block that is taken as given: every later one must link to it, and no reorganisation goes below it. */
export interface Checkpoint {
  readonly height: number;
  /** In hex, in the order that explorers show. */
  readonly hash: string;
}

export interface ChainParameters {
  readonly rules: DifficultyRules;
  readonly checkpoint: Checkpoint;
}

const TEN_MINUTES = 600;

/**
 * The checkpoints are the last blocks of periods of 2,016; what follows on the main chain has the target that its last period led
 * to, which test networks' first block may choose. A signet's blocks are signed in their coinbase (BIP 325), which is
 * not looked at: its headers are believed.
 */
export const CHAIN_PARAMETERS: Readonly<Record<Network, ChainParameters>> = {
  bitcoin: {
    rules: {
      kind: 'mainnet',
      limitBits: 0x1d00_ffff,
      spacingSeconds: TEN_MINUTES,
      given: { height: 953_568, bits: 0x1702_40c3 },
    },
    checkpoint: { height: 953_567, hash: '00000000000000000001b315e72169bef4867bf780527aa97c625ee9c001dc5d' },
  },
  testnet: {
    rules: { kind: 'testnet3', limitBits: 0x1d00_ffff, spacingSeconds: TEN_MINUTES },
    checkpoint: { height: 5_011_775, hash: '000000000000041b511bf0b926371d5045f70bbc30d36b66f1c84ed30d765886' },
  },
  testnet4: {
    rules: { kind: 'testnet4', limitBits: 0x1d00_ffff, spacingSeconds: TEN_MINUTES },
    checkpoint: { height: 139_103, hash: '000000000001fa52cf7346a418640560743e051f8096a21ca452f3569bfe4f9e' },
  },
  signet: {
    rules: { kind: 'mainnet', limitBits: 0x1e03_77ae, spacingSeconds: TEN_MINUTES },
    checkpoint: { height: 308_447, hash: '0000000fce481bd689af96794ea36ad8e80bc4635f068104aeff53bc17326ecf' },
  },
  regtest: {
    rules: { kind: 'fixed', limitBits: 0x207f_ffff, spacingSeconds: TEN_MINUTES },
    checkpoint: { height: 0, hash: '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206' },
  },
};
