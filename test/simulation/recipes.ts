import type { ChannelConfig } from '../../worker/engine/channel/channel-config.ts';
import { featureSet, type FeatureSet } from '../../worker/engine/wire/features.ts';
import type { Neighbours, SideName } from './world-start.ts';

/** A channel that is open when a simulation begins; `a` opens it to `b` unless it says otherwise. */
interface StartingChannel {
  readonly sat: bigint;
  readonly pushMsat: bigint;
  readonly between?: Neighbours;
}

/** How a world is made that simulations begin with. */
export interface Recipe {
  readonly channels: readonly StartingChannel[];
  readonly config?: Partial<ChannelConfig>;
  readonly features?: FeatureSet;
  /** Two sides only, where it says nothing. */
  readonly neighbours?: readonly Neighbours[];
}

export const PAIR: Neighbours = ['a', 'b'];
/** In the middle is the one whom both others know: it accepts channels of the first and opens some to the last. */
const CHAIN: readonly Neighbours[] = [PAIR, ['b', 'c']];
const LINE: readonly Neighbours[] = [...CHAIN, ['c', 'd'], ['d', 'e']];
const TRIANGLE: readonly Neighbours[] = [...CHAIN, ['c', 'a']];
const RING: readonly Neighbours[] = [...CHAIN, ['c', 'd'], ['d', 'a']];
const STAR: readonly Neighbours[] = [PAIR, ['a', 'c'], ['d', 'a'], ['e', 'a']];

const WITHOUT_ANCHORS = featureSet({
  option_data_loss_protect: 'compulsory',
  option_upfront_shutdown_script: 'optional',
  option_static_remotekey: 'compulsory',
  payment_secret: 'compulsory',
  basic_mpp: 'optional',
  option_quiesce: 'optional',
  option_channel_type: 'compulsory',
});

const PAIR_RECIPES = {
  wide: { channels: [{ sat: 1_000_000n, pushMsat: 400_000_000n }] },
  /** Reserve, dust and fees are most of it; slots run out. */
  narrow: { channels: [{ sat: 30_000n, pushMsat: 9_000_000n }], config: { maxAcceptedHtlcs: 6 } },
  oneSided: { channels: [{ sat: 200_000n, pushMsat: 0n }] },
  withoutAnchors: { channels: [{ sat: 100_000n, pushMsat: 45_000_001n }], features: WITHOUT_ANCHORS },
  pair: {
    channels: [
      { sat: 300_000n, pushMsat: 150_000_000n },
      { sat: 50_000n, pushMsat: 20_000_000n },
    ],
  },
  /** Two small HTLCs are more than may go without an output. */
  dusty: {
    channels: [{ sat: 200_000n, pushMsat: 90_000_000n }],
    config: { maxDustExposureMsat: 700_000n },
  },
  /** Coins, and no channel yet. */
  empty: { channels: [] },
} as const satisfies Record<string, Recipe>;

const CHAIN_CHANNELS = [
  { sat: 1_000_000n, pushMsat: 400_000_000n },
  { sat: 1_000_000n, pushMsat: 500_000_000n, between: ['b', 'c'] },
] as const;

/** A victim between two others. */
const CHAIN_RECIPES = {
  chain: { channels: CHAIN_CHANNELS, neighbours: CHAIN },
  chainWithoutAnchors: { channels: CHAIN_CHANNELS, neighbours: CHAIN, features: WITHOUT_ANCHORS },
  doubleChain: {
    channels: [
      ...CHAIN_CHANNELS,
      { sat: 60_000n, pushMsat: 25_000_000n },
      { sat: 60_000n, pushMsat: 25_000_000n, between: ['b', 'c'] },
    ],
    neighbours: CHAIN,
  },
} as const satisfies Record<string, Recipe>;

/** Channels between all who meet, the same for each of them. */
const among = (
  neighbours: readonly Neighbours[],
  ...channels: readonly StartingChannel[]
): Pick<Recipe, 'channels' | 'neighbours'> => ({
  neighbours,
  channels: neighbours.flatMap((between) => channels.map((channel) => ({ ...channel, between }))),
});

const BALANCED: StartingChannel = { sat: 500_000n, pushMsat: 250_000_000n };
const SMALL: StartingChannel = { sat: 40_000n, pushMsat: 17_000_000n };

/** Those whose payments pass through others. */
const NETWORK_RECIPES = {
  chain: CHAIN_RECIPES.chain,
  chainWithoutAnchors: CHAIN_RECIPES.chainWithoutAnchors,
  tripleChain: among(CHAIN, BALANCED, SMALL, { ...SMALL, sat: 60_000n }),
  /** Slots and what may go without an output run out in the middle first. */
  narrowChain: { ...among(CHAIN, SMALL), config: { maxAcceptedHtlcs: 5, maxDustExposureMsat: 1_500_000n } },
  line: among(LINE, BALANCED),
  triangle: among(TRIANGLE, BALANCED, SMALL),
  ring: among(RING, BALANCED),
  star: among(STAR, BALANCED),
} satisfies Record<string, Recipe>;

export type PairStartName = keyof typeof PAIR_RECIPES;
export type ChainStartName = keyof typeof CHAIN_RECIPES;
export type NetworkStartName = keyof typeof NETWORK_RECIPES;
export type StartName = PairStartName | ChainStartName | NetworkStartName;

export const PAIR_START_NAMES: readonly PairStartName[] = Object.keys(PAIR_RECIPES) as PairStartName[];
export const CHAIN_START_NAMES: readonly ChainStartName[] = Object.keys(CHAIN_RECIPES) as ChainStartName[];
export const NETWORK_START_NAMES: readonly NetworkStartName[] = Object.keys(NETWORK_RECIPES) as NetworkStartName[];

const ALL_RECIPES: Readonly<Record<StartName, Recipe>> = { ...PAIR_RECIPES, ...CHAIN_RECIPES, ...NETWORK_RECIPES };

export const recipeOf = (name: StartName): Recipe => ALL_RECIPES[name];

export const neighboursIn = ({ neighbours = [PAIR] }: Recipe): readonly Neighbours[] => neighbours;

/** Everybody in a world, by name. */
export const sidesIn = (recipe: Recipe): readonly SideName[] => [...new Set(neighboursIn(recipe).flat())].sort();
