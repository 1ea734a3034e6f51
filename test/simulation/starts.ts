import { nobleSecp256k1, type Secp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import { defaultChannelConfig } from '../../worker/engine/channel/channel-config.ts';
import type { Transaction } from '../../worker/engine/transactions/transaction.ts';
import { fakeSecp256k1 } from './fake-secp256k1.ts';
import { identityOf, type NodeIdentity } from './identity.ts';
import { MemoryDisk } from './memory-store.ts';
import { FEATURES, SimulatedNode } from './node.ts';
import { neighboursIn, PAIR, recipeOf, sidesIn, type Recipe, type StartName } from './recipes.ts';
import { World } from './world.ts';
import { SIDE_NAMES, type SideName, type WorldStart } from './world-start.ts';

export type CryptoName = 'fake' | 'real';

const prepared = new Map<string, Promise<WorldStart>>();
const identities = new Map<CryptoName, Readonly<Record<SideName, NodeIdentity>>>();

/** Prepared once; every simulation copies it. */
export function startOf(name: StartName, crypto: CryptoName): Promise<WorldStart> {
  const key = `${name}/${crypto}`;
  const found = prepared.get(key) ?? prepare(recipeOf(name), crypto);
  prepared.set(key, found);
  return found;
}

async function prepare(recipe: Recipe, crypto: CryptoName): Promise<WorldStart> {
  const secp: Secp256k1 = crypto === 'real' ? nobleSecp256k1 : fakeSecp256k1;
  const who = identities.get(crypto) ?? ofEach((name) => identityOf(secp, name));
  identities.set(crypto, who);
  const common = {
    identities: who,
    secp,
    neighbours: neighboursIn(recipe),
    config: { ...defaultChannelConfig, ...recipe.config },
    features: recipe.features ?? FEATURES,
  };
  const coins = { height: 100, transactions: sidesIn(recipe).map((name) => coinsFor(common, name)) };
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

const ofEach = <T>(make: (name: SideName) => T): Readonly<Record<SideName, T>> =>
  Object.fromEntries(SIDE_NAMES.map((name) => [name, make(name)])) as Record<SideName, T>;

const NOTHING: WorldStart['records'] = ofEach(() => new Map<string, Uint8Array>());

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
