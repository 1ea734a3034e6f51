import { nobleSecp256k1, type Secp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import { defaultChannelConfig, type ChannelConfig } from '../../worker/engine/channel/channel-config.ts';
import type { Transaction } from '../../worker/engine/transactions/transaction.ts';
import { featureSet, type FeatureSet } from '../../worker/engine/wire/features.ts';
import { fakeSecp256k1 } from './fake-secp256k1.ts';
import { identityOf, type NodeIdentity } from './identity.ts';
import { MemoryDisk } from './memory-store.ts';
import { FEATURES, SimulatedNode } from './node.ts';
import { World } from './world.ts';
import type { Neighbours, SideName, WorldStart } from './world-start.ts';

/** A channel that is open when a simulation begins; `a` opens it to `b` unless it says otherwise. */
interface StartingChannel {
  readonly sat: bigint;
  readonly pushMsat: bigint;
  readonly between?: Neighbours;
}

interface Recipe {
  readonly channels: readonly StartingChannel[];
  readonly config?: Partial<ChannelConfig>;
  readonly features?: FeatureSet;
  /** Two sides only, where it says nothing. */
  readonly neighbours?: readonly Neighbours[];
}

const PAIR = ['a', 'b'] as const;
/** In the middle is the one whom both others know: it accepts channels of the first and opens some to the last. */
const CHAIN = [PAIR, ['b', 'c']] as const;

const WITHOUT_ANCHORS = featureSet({
  option_data_loss_protect: 'compulsory',
  option_upfront_shutdown_script: 'optional',
  option_static_remotekey: 'compulsory',
  payment_secret: 'compulsory',
  basic_mpp: 'optional',
  option_quiesce: 'optional',
  option_channel_type: 'compulsory',
});

const RECIPES = {
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

/** Three sides. */
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

const ALL_RECIPES: Readonly<Record<string, Recipe>> = { ...RECIPES, ...CHAIN_RECIPES };

export type StartName = keyof typeof RECIPES;
export type ChainStartName = keyof typeof CHAIN_RECIPES;

export const START_NAMES: readonly StartName[] = Object.keys(RECIPES) as StartName[];
export const CHAIN_START_NAMES: readonly ChainStartName[] = Object.keys(CHAIN_RECIPES) as ChainStartName[];

export type CryptoName = 'fake' | 'real';

const prepared = new Map<string, Promise<WorldStart>>();
const identities = new Map<CryptoName, Readonly<Record<SideName, NodeIdentity>>>();

/** Prepared once; every simulation copies it. */
export function startOf(name: StartName | ChainStartName, crypto: CryptoName): Promise<WorldStart> {
  const key = `${name}/${crypto}`;
  const found = prepared.get(key) ?? prepare(ALL_RECIPES[name] ?? { channels: [] }, crypto);
  prepared.set(key, found);
  return found;
}

async function prepare(recipe: Recipe, crypto: CryptoName): Promise<WorldStart> {
  const secp: Secp256k1 = crypto === 'real' ? nobleSecp256k1 : fakeSecp256k1;
  const identity = (name: SideName): NodeIdentity => identityOf(secp, name);
  const who = identities.get(crypto) ?? { a: identity('a'), b: identity('b'), c: identity('c') };
  identities.set(crypto, who);
  const common = {
    identities: who,
    secp,
    neighbours: recipe.neighbours ?? [PAIR],
    config: { ...defaultChannelConfig, ...recipe.config },
    features: recipe.features ?? FEATURES,
  };
  const coins = { height: 100, transactions: SIDES.map((name) => coinsFor(common, name)) };
  const world = new World({ ...common, records: NOTHING, chain: { height: 100, blocks: [coins] } });
  world.opened = true;
  await world.pump();
  world.connect();
  for (const { sat, pushMsat, between = PAIR } of recipe.channels) {
    const [opener, fundee] = between.map((name) => world.side(name).node);
    if (opener === undefined || fundee === undefined) throw new Error('a channel is between two sides');
    opener.open(fundee, sat, pushMsat);
    await world.pump();
    world.mine(6);
    await world.pump();
  }
  world.disconnect();
  await world.pump();
  if (world.problems.length > 0) throw new Error(`the start failed: ${world.problems.join('; ')}`);
  const durable = Object.fromEntries(world.sides.map(({ name, disk }) => [name, disk.durable]));
  return { ...common, records: { ...NOTHING, ...durable }, chain: world.chain.snapshot };
}

const SIDES: readonly SideName[] = ['a', 'b', 'c'];

const NOTHING: WorldStart['records'] = { a: new Map(), b: new Map(), c: new Map() };

/** A transaction from nowhere that gives the wallet coins to open channels with. */
function coinsFor(start: Pick<WorldStart, 'secp' | 'config' | 'features' | 'identities'>, name: SideName): Transaction {
  const store = new MemoryDisk().open();
  const node = new SimulatedNode({ ...start, ...start.identities[name], name, now: () => 0, store });
  const input = { vout: 0, sequence: 0xffff_ffff, scriptSig: new Uint8Array(0), witness: [] };
  const outputs = Array.from({ length: 4 }, () => ({
    amountSat: 10_000_000n,
    script: node.wallet.newScript('receive'),
  }));
  const txid = new Uint8Array(32).fill(name.charCodeAt(0));
  return { version: 2, inputs: [{ ...input, txid }], outputs, locktime: 0 };
}
