import { nobleSecp256k1, type Secp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import { defaultChannelConfig, type ChannelConfig } from '../../worker/engine/channel/channel-config.ts';
import type { Transaction } from '../../worker/engine/transactions/transaction.ts';
import { featureSet, type FeatureSet } from '../../worker/engine/wire/features.ts';
import { fakeSecp256k1 } from './fake-secp256k1.ts';
import { identityOf, type NodeIdentity } from './identity.ts';
import { MemoryDisk } from './memory-store.ts';
import { FEATURES, SimulatedNode } from './node.ts';
import { World } from './world.ts';
import type { SideName, WorldStart } from './world-start.ts';

/** A channel that is open when a simulation begins; A opens it. */
interface StartingChannel {
  readonly sat: bigint;
  readonly pushMsat: bigint;
}

interface Recipe {
  readonly channels: readonly StartingChannel[];
  readonly config?: Partial<ChannelConfig>;
  readonly features?: FeatureSet;
}

const WITHOUT_ANCHORS = featureSet({
  option_data_loss_protect: 'compulsory',
  option_upfront_shutdown_script: 'optional',
  option_static_remotekey: 'compulsory',
  payment_secret: 'compulsory',
  basic_mpp: 'optional',
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
  /** Coins, and no channel yet. */
  empty: { channels: [] },
} as const satisfies Record<string, Recipe>;

export type StartName = keyof typeof RECIPES;

export const START_NAMES: readonly StartName[] = Object.keys(RECIPES) as StartName[];

export type CryptoName = 'fake' | 'real';

const prepared = new Map<string, Promise<WorldStart>>();
const identities = new Map<CryptoName, Readonly<Record<SideName, NodeIdentity>>>();

/** Prepared once; every simulation copies it. */
export function startOf(name: StartName, crypto: CryptoName): Promise<WorldStart> {
  const key = `${name}/${crypto}`;
  const found = prepared.get(key) ?? prepare(RECIPES[name], crypto);
  prepared.set(key, found);
  return found;
}

async function prepare(recipe: Recipe, crypto: CryptoName): Promise<WorldStart> {
  const secp: Secp256k1 = crypto === 'real' ? nobleSecp256k1 : fakeSecp256k1;
  const who = identities.get(crypto) ?? { a: identityOf(secp, 'a'), b: identityOf(secp, 'b') };
  identities.set(crypto, who);
  const common = {
    identities: who,
    secp,
    config: { ...defaultChannelConfig, ...recipe.config },
    features: recipe.features ?? FEATURES,
  };
  const empty = { a: new Map(), b: new Map() };
  const coins = { height: 100, transactions: [coinsFor(common, who.a)] };
  const world = new World({ ...common, records: empty, chain: { height: 100, blocks: [coins] } });
  world.opened = true;
  await world.pump();
  world.connect();
  for (const { sat, pushMsat } of recipe.channels) {
    world.a.node.open(world.b.node, sat, pushMsat);
    await world.pump();
    for (let block = 0; block < 6; block++) world.mine();
    await world.pump();
  }
  world.disconnect();
  await world.pump();
  if (world.problems.length > 0) throw new Error(`the start failed: ${world.problems.join('; ')}`);
  const records = { a: world.a.disk.durable, b: world.b.disk.durable };
  return { ...common, records, chain: world.chain.snapshot };
}

/** A transaction from nowhere that gives the wallet coins to open channels with. */
function coinsFor(start: Pick<WorldStart, 'secp' | 'config' | 'features'>, who: NodeIdentity): Transaction {
  const node = new SimulatedNode({ ...start, ...who, name: 'a', now: () => 0, store: new MemoryDisk().open() });
  const input = { vout: 0, sequence: 0xffff_ffff, scriptSig: new Uint8Array(0), witness: [] };
  const outputs = Array.from({ length: 4 }, () => ({
    amountSat: 10_000_000n,
    script: node.wallet.newScript('receive'),
  }));
  return { version: 2, inputs: [{ ...input, txid: new Uint8Array(32).fill(9) }], outputs, locktime: 0 };
}
