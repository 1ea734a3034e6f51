import { beforeAll, describe, expect, it } from 'vitest';
import type { ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import { equalBytes } from '../../../worker/engine/primitives/bytes.ts';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import type { StoredRecords } from '../../../worker/engine/primitives/store.ts';
import { commitmentNumberOf, obscuringFactor } from '../../../worker/engine/transactions/commitment-number.ts';
import { decodeTransaction, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { randomOf } from '../../simulation/random.ts';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';
import type { WorldStart } from '../../simulation/world-start.ts';
import { Meeting } from './meeting.ts';

let start: WorldStart;
let honest: readonly ChannelMonitor[];

/** Two channels after payments in both directions, and invoices that nobody has paid. */
beforeAll(async () => {
  const world = new World(await startOf('pair', 'fake'));
  await world.settle();
  world.connect();
  await world.pump();
  for (const amountMsat of [1_000_000n, 2_000_000n, 3_000_000n]) {
    world.pay(world.a, amountMsat);
    await world.pump();
    world.pay(world.b, amountMsat);
    await world.pump();
  }
  world.a.node.invoice(1_000n);
  await world.settle();
  const [a, b] = [world.a.disk.durable, world.b.disk.durable];
  start = { ...(await startOf('pair', 'fake')), records: { a, b, c: new Map() }, chain: world.chain.snapshot };
  honest = world.a.node.manager.chainMonitor.monitors().map(([, monitor]) => monitor);
});

type Damage = 'truncated' | 'flipped' | 'deleted';
const DAMAGES: readonly Damage[] = ['truncated', 'flipped', 'deleted'];

function damage(records: Map<string, Uint8Array>, key: string, kind: Damage, seed: number): void {
  const bytes = records.get(key)?.slice() ?? new Uint8Array(0);
  const place = randomOf(seed)(Math.max(1, bytes.length));
  if (kind === 'deleted') records.delete(key);
  if (kind === 'truncated') records.set(key, bytes.slice(0, place));
  if (kind !== 'flipped') return;
  bytes[place] = (bytes[place] ?? 0) ^ (1 << (seed % 8));
  records.set(key, bytes);
}

/** A channel that ends every connection over what it misreads is set apart after some. */
const ATTEMPTS = 8;

/** What becomes of the wallet: whether it opens, whether it pays, and commitments that it broadcast and has revoked. */
async function opened(records: StoredRecords) {
  let meeting: Meeting;
  try {
    meeting = new Meeting({ ...start, records: { ...start.records, a: records } }, 'a');
  } catch (error) {
    return { refused: error, pays: false, revoked: [] };
  }
  let pays = false;
  for (let attempt = 0; attempt < ATTEMPTS && !pays; attempt++) pays = await paid(meeting);
  // Whatever is left of a channel can be shown.
  const { manager } = meeting.node;
  for (const entry of manager.channels()) manager.closing(entry);
  const unshown = meeting.node.log.filter((line) => line.includes('cannot be shown'));
  if (unshown.length > 0) throw new Error(unshown.join());
  const revoked = meeting.node.broadcasts.map(decodeTransaction).filter(isRevoked);
  return { refused: undefined, pays, revoked };
}

/** An error of ours, which would begin a new connection, costs an attempt. */
async function paid(meeting: Meeting): Promise<boolean> {
  try {
    await meeting.connect();
    const id = meeting.node.pay(meeting.peer.invoice(500_000n + BigInt(meeting.now % 1000)));
    await meeting.flow();
    await meeting.mine();
    const payments = meeting.node.manager.outboundPayments.all();
    const succeeded = payments.some(({ state, paymentHash }) => state.kind === 'succeeded' && hex(paymentHash) === id);
    await meeting.pass(1);
    await meeting.disconnect();
    return succeeded;
  } catch {
    meeting.now += 1_000;
    return false;
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function isRevoked(transaction: Transaction): boolean {
  return honest.some(({ params, holderCommitment }) => {
    if (!transaction.inputs.some(({ txid }) => equalBytes(txid, params.fundingTxid))) return false;
    const [opener, accepter] = params.isOpener
      ? [params.holder, params.counterparty]
      : [params.counterparty, params.holder];
    const number = commitmentNumberOf(transaction, obscuringFactor(opener.paymentBasepoint, accepter.paymentBasepoint));
    return number !== undefined && number < holderCommitment.number;
  });
}

/** Without these there is no wallet: the words, and what the coins are. */
const isOfWallet = (key: string): boolean => key === 'coin/state';

const isTyped = (error: unknown): boolean => error instanceof GlowwormError && error.code !== 'InvariantBroken';

/** The channels whose records a set of keys leaves alone. */
const untouched = (keys: readonly string[]): number =>
  ['0', '1'].filter((name) => !keys.some((key) => key.startsWith(`chan/${name}/`) || key.startsWith(`mon/${name}/`)))
    .length;

async function expectOutcome(keys: readonly string[], kinds: readonly Damage[], seed: number): Promise<void> {
  const records = new Map(start.records.a);
  keys.forEach((key, index) => damage(records, key, kinds[index] ?? 'deleted', seed + index));
  const { refused, pays, revoked } = await opened(records);
  const what = keys.map((key, index) => `${kinds[index]} ${key}`).join(', ') + ` (${seed})`;
  expect(revoked, what).toEqual([]);
  if (refused !== undefined) {
    const code = refused instanceof GlowwormError ? refused.code : String(refused);
    // A bit of a record's version is all that tells of a newer program.
    const isNewer = code === 'RecordTooNew' && kinds.includes('flipped');
    expect([isTyped(refused), isNewer || keys.some(isOfWallet)], `${what}: ${code}`).toEqual([true, true]);
  } else if (untouched(keys) > 0) expect(pays, what).toBe(true);
}

/** Of a lost state and a lost newest update nothing tells that there was an update. */
const isUnseen = (keys: readonly string[]): boolean =>
  honest.some(
    ({ params, updateId }) =>
      keys.includes(`chan/${params.channelKeysIndex}/state`) &&
      keys.includes(`mon/${params.channelKeysIndex}/upd/${updateId % 64}`),
  );

const TIMES = 3;
const PAIRS = 200;

describe('a wallet with a damaged record', () => {
  it.each(DAMAGES)('opens and pays over the channels that are whole: %s, each record', async (kind) => {
    let seed = 1;
    for (const key of start.records.a.keys())
      for (let time = 0; time < TIMES; time++) await expectOutcome([key], [kind], seed++);
  });

  it('opens and pays over the channels that are whole: two of them', async () => {
    const keys = [...start.records.a.keys()];
    const random = randomOf(20_261_129);
    for (let round = 0; round < PAIRS; round++) {
      const [one, other] = [keys[random(keys.length)] ?? '', keys[random(keys.length)] ?? ''];
      if (isUnseen([one, other])) continue;
      const kinds = [DAMAGES[random(3)] ?? 'deleted', DAMAGES[random(3)] ?? 'deleted'];
      await expectOutcome([one, other], kinds, round);
    }
  });
});
