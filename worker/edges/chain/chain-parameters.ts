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
  /** How often servers are asked for the tip. */
  readonly pollMs: number;
}

const TEN_MINUTES = 600;
const SIGNET_LIMIT = 0x1e03_77ae;
/** The first block of every signet: what differs is whose signature the others need. */
const SIGNET_GENESIS: Checkpoint = {
  height: 0,
  hash: '00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6',
};

/**
 * A signet by its own block time, as the nodes of such signets have it (`signetblocktime`): two weeks are a period whatever that
 * is, 40,320 blocks of 30 seconds. Without a checkpoint it begins at the block that it has in common with all others.
 */
export const signetParameters = (spacingSeconds: number, checkpoint: Checkpoint = SIGNET_GENESIS): ChainParameters => ({
  rules: { kind: 'mainnet', limitBits: SIGNET_LIMIT, spacingSeconds },
  checkpoint,
  pollMs: Math.min(20_000, Math.max(5_000, (spacingSeconds * 1_000) / 3)),
});

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
    pollMs: 30_000,
  },
  testnet: {
    rules: { kind: 'testnet3', limitBits: 0x1d00_ffff, spacingSeconds: TEN_MINUTES },
    checkpoint: { height: 5_011_775, hash: '000000000000041b511bf0b926371d5045f70bbc30d36b66f1c84ed30d765886' },
    pollMs: 30_000,
  },
  testnet4: {
    rules: { kind: 'testnet4', limitBits: 0x1d00_ffff, spacingSeconds: TEN_MINUTES },
    checkpoint: { height: 139_103, hash: '000000000001fa52cf7346a418640560743e051f8096a21ca452f3569bfe4f9e' },
    pollMs: 30_000,
  },
  signet: signetParameters(TEN_MINUTES, {
    height: 308_447,
    hash: '0000000fce481bd689af96794ea36ad8e80bc4635f068104aeff53bc17326ecf',
  }),
  // Its first block of its own tells it from the other signets.
  mutinynet: signetParameters(30, {
    height: 1,
    hash: '000002855893a0a9b24eaffc5efc770558a326fee4fc10c9da22fc19cd2954f9',
  }),
  regtest: {
    rules: { kind: 'fixed', limitBits: 0x207f_ffff, spacingSeconds: TEN_MINUTES },
    checkpoint: { height: 0, hash: '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206' },
    pollMs: 1_000,
  },
};
