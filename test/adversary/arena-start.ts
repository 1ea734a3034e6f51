import type { Transaction } from '../../worker/engine/transactions/transaction.ts';
import { featureSet, type FeatureSet } from '../../worker/engine/wire/features.ts';
import type { ChainSnapshot } from '../simulation/simulated-chain.ts';
import { Arena } from './arena.ts';
import { Camp, CAMP_NAMES, type CampName } from './camp.ts';

/** What an arena begins with. */
export interface ArenaStart {
  readonly chain: ChainSnapshot;
  readonly records: Readonly<Record<CampName, ReadonlyMap<string, Uint8Array>>>;
  readonly features?: Partial<Record<CampName, FeatureSet>> | undefined;
}

interface Recipe {
  /** Between the victim and the attacker. */
  readonly opener: 'victim' | 'attacker';
  readonly channels: number;
  readonly features?: ArenaStart['features'];
}

const WITHOUT_ANCHORS = featureSet({
  option_data_loss_protect: 'compulsory',
  option_static_remotekey: 'compulsory',
  payment_secret: 'compulsory',
  basic_mpp: 'optional',
  option_channel_type: 'compulsory',
});

const RECIPES = {
  /** The attacker has opened a channel. */
  fundee: { opener: 'attacker', channels: 1 },
  /** The victim has opened a channel with the attacker. */
  opener: { opener: 'victim', channels: 1 },
  /** The attacker has opened two. */
  two: { opener: 'attacker', channels: 2 },
  staticRemotekey: { opener: 'attacker', channels: 1, features: { victim: WITHOUT_ANCHORS } },
  /** The attacker is connected, and has no channel. */
  stranger: { opener: 'attacker', channels: 0 },
} as const satisfies Record<string, Recipe>;

export type ArenaName = keyof typeof RECIPES;

const FUNDING_SAT = 1_000_000n;
const PUSH_MSAT = 400_000_000n;

const prepared = new Map<ArenaName, Promise<ArenaStart>>();

/** A new arena: the victim is connected with both peers, and has a channel with the honest one, who opened it. */
export async function arena(name: ArenaName): Promise<Arena> {
  const start = prepared.get(name) ?? prepare(RECIPES[name]);
  prepared.set(name, start);
  const fresh = new Arena(await start);
  fresh.connect();
  fresh.connect(fresh.honest);
  await fresh.pump();
  fresh.forget();
  return fresh;
}

async function prepare({ opener, channels, features }: Recipe): Promise<ArenaStart> {
  const empty = { victim: new Map(), attacker: new Map(), honest: new Map() };
  const made = new Arena({ records: empty, chain: { height: 300, blocks: [coins()] }, features });
  made.connect();
  made.connect(made.honest);
  await made.pump();
  await open(made, made.honest, made.victim);
  const [from, to] = opener === 'victim' ? [made.victim, made.attacker] : [made.attacker, made.victim];
  for (let channel = 0; channel < channels; channel++) await open(made, from, to);
  const faults = made.camps.flatMap((camp) => camp.faults);
  if (faults.length > 0) throw new Error(`the start failed: ${faults.join('; ')}`);
  const [victim, attacker, honest] = made.camps.map(({ disk }) => disk.durable) as [
    ArenaStart['records'][CampName],
    ArenaStart['records'][CampName],
    ArenaStart['records'][CampName],
  ];
  return { records: { victim, attacker, honest }, chain: made.chain.snapshot, features };
}

async function open(world: Arena, from: Camp, to: Camp): Promise<void> {
  from.node.open(to.node, FUNDING_SAT, PUSH_MSAT);
  await world.pump();
  world.mine(6);
  await world.pump();
}

/** A block from nowhere that gives each wallet coins. */
function coins(): ChainSnapshot['blocks'][number] {
  const outputs = CAMP_NAMES.flatMap((name) => {
    const { node } = new Camp({ name, records: new Map(), now: () => 0 });
    return Array.from({ length: 4 }, () => ({ amountSat: 10_000_000n, script: node.wallet.newScript('receive') }));
  });
  const input = { vout: 0, sequence: 0xffff_ffff, scriptSig: new Uint8Array(0), witness: [] };
  const transaction: Transaction = {
    version: 2,
    inputs: [{ ...input, txid: new Uint8Array(32).fill(9) }],
    outputs,
    locktime: 0,
  };
  return { height: 300, transactions: [transaction] };
}
