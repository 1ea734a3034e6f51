import { beforeEach, describe, expect, it } from 'vitest';
import funding from '../../vectors/bolt03-funding-tx.json' with { type: 'json' };
import { Broadcaster } from '../../../worker/edges/chain/broadcaster.ts';
import type { EsploraApi } from '../../../worker/edges/chain/esplora-api.ts';
import { Propagation, type Standing } from '../../../worker/edges/chain/propagation.ts';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { decodeTransaction, encodeTransaction } from '../../../worker/engine/transactions/transaction.ts';
import { FakePlatform, type Answer } from './fake-platform.ts';
import { esploraAt } from './esplora-at.ts';

const RAW = fromHex(funding.funding_tx_hex);
const TXID = funding.funding_txid;
const MINUTE_S = 60;
const REFUSED: Answer = { status: 400, body: 'bad-txns-inputs-missingorspent' };
const TAKEN: Answer = { body: TXID };
const NOT_FOUND: Answer = { status: 404, body: '' };
const THERE: Answer = { body: funding.funding_tx_hex };
const refusal = { kind: 'rejected', reason: 'missingInputs', words: 'bad-txns-inputs-missingorspent' };

/** What a server says when it is sent the transaction, and when it is asked for it. */
interface Server {
  post: Answer;
  get: Answer;
}

const taker = (): Server => ({ post: TAKEN, get: THERE });
const swallower = (): Server => ({ post: TAKEN, get: NOT_FOUND });
const refuser = (): Server => ({ post: REFUSED, get: NOT_FOUND });

let clock: FakePlatform;
let followed: Propagation;
let told: Standing[];
let asked: string[];

beforeEach(() => {
  clock = new FakePlatform(() => 'drop');
  told = [];
  asked = [];
});

function propagationOver(...servers: readonly Server[]): Propagation {
  const sources = servers.map((server, index) => {
    const network = new FakePlatform((_, init) => {
      const method = init?.method === 'POST' ? 'POST' : 'GET';
      asked.push(`${method} ${index}`);
      return method === 'POST' ? server.post : server.get;
    });
    return esploraAt(`http://server${index}.test`, { ...clock, fetch: network.fetch });
  });
  return propagationWith(sources);
}

function propagationWith(sources: readonly EsploraApi[]): Propagation {
  followed = new Propagation({
    sources,
    broadcaster: new Broadcaster(sources, clock.now),
    platform: clock,
    onChange: (_, standing) => void told.push(standing),
  });
  return followed;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 10) {
    clock.advance(10_000);
    followed.rebroadcast();
    await settle();
  }
}

describe('what one server has taken', () => {
  it('is seen as soon as another shows it, and then nobody is asked any more', async () => {
    const propagation = propagationOver(taker(), taker());
    await propagation.broadcast([RAW]);
    expect(propagation.standing(TXID)).toEqual({ kind: 'taken' });
    await pass(10);
    expect(propagation.standing(TXID)).toEqual({ kind: 'seen' });
    const { length } = asked;
    await pass(60 * MINUTE_S);
    await propagation.broadcast([RAW]);
    await pass(60 * MINUTE_S);
    expect(asked.slice(length)).toEqual(['POST 0', 'POST 1']);
  });

  it.each([
    ['refuses it', refuser()],
    ['does not answer', { post: 'drop', get: 'drop' }],
    ['takes and drops it', swallower()],
    ['wants fewer requests', { post: { status: 429, body: '' }, get: { status: 429, body: '' } }],
  ] as [string, Server][])('is told as unseen after minutes where the other %s, and sent again', async (_, other) => {
    const propagation = propagationOver(swallower(), other);
    await propagation.broadcast([RAW]);
    await pass(2 * MINUTE_S);
    expect([propagation.standing(TXID), propagation.unseen]).toEqual([{ kind: 'taken' }, 0]);
    await pass(10 * MINUTE_S);
    expect([propagation.standing(TXID), propagation.unseen]).toEqual([{ kind: 'unseen' }, 1]);
    expect(asked.filter((each) => each === 'POST 1').length).toBeGreaterThan(3);
  });

  it('is unseen where the same server is the only one to show it', async () => {
    const propagation = propagationOver(taker(), refuser());
    await propagation.broadcast([RAW]);
    await pass(10 * MINUTE_S);
    expect(propagation.standing(TXID)).toEqual({ kind: 'unseen' });
  });

  it('is seen after all once it has come to another', async () => {
    const other = refuser();
    const propagation = propagationOver(swallower(), other);
    await propagation.broadcast([RAW]);
    await pass(10 * MINUTE_S);
    other.get = THERE;
    await pass(20 * MINUTE_S);
    expect([propagation.standing(TXID), propagation.unseen]).toEqual([{ kind: 'seen' }, 0]);
  });

  it('is not waited for where there is one server only', async () => {
    const propagation = propagationOver(swallower());
    await propagation.broadcast([RAW]);
    await pass(60 * MINUTE_S);
    expect([propagation.standing(TXID), asked]).toEqual([{ kind: 'seen' }, ['POST 0']]);
  });

  it('costs few requests, however long nobody shows it', async () => {
    const propagation = propagationOver(swallower(), ...Array.from({ length: 9 }, refuser));
    await propagation.broadcast([RAW]);
    await pass(10 * 60 * MINUTE_S);
    expect(asked.filter((each) => each.startsWith('GET')).length).toBeLessThanOrEqual(20);
  });

  it('is told no more once nobody wants it in a block, or it is in one', async () => {
    const propagation = propagationOver(swallower(), refuser());
    await propagation.broadcast([RAW]);
    await pass(10 * MINUTE_S);
    expect(propagation.unseen).toBe(1);
    await pass(60 * MINUTE_S);
    expect(propagation.unseen).toBe(0);
    await propagation.broadcast([RAW]);
    expect(propagation.unseen).toBe(1);
    propagation.forget(TXID);
    expect([propagation.unseen, propagation.standing(TXID)]).toEqual([0, undefined]);
  });
});

describe('what is refused', () => {
  it('by all is refused for good when they still do so a minute later', async () => {
    const propagation = propagationOver(refuser(), refuser());
    await propagation.broadcast([RAW]);
    expect(propagation.standing(TXID)).toEqual({ kind: 'refused', refusal, lasting: false });
    await pass(2 * MINUTE_S);
    expect(propagation.standing(TXID)).toEqual({ kind: 'refused', refusal, lasting: true });
  });

  it('is told so again each time it is sent: who wanted it may not have been able to give it up before', async () => {
    const propagation = propagationOver(refuser());
    await propagation.broadcast([RAW]);
    await pass(2 * MINUTE_S);
    const { length } = told;
    await propagation.broadcast([RAW]);
    expect(told.slice(length)).toEqual([{ kind: 'refused', refusal, lasting: true }]);
  });

  it('is not while a server does not answer, which may have taken it, for ten minutes', async () => {
    const propagation = propagationOver(refuser(), { post: 'drop', get: 'drop' });
    await propagation.broadcast([RAW]);
    await pass(9 * MINUTE_S);
    expect(propagation.standing(TXID)).toMatchObject({ kind: 'refused', lasting: false });
    await pass(20 * MINUTE_S);
    expect(propagation.standing(TXID)).toMatchObject({ kind: 'refused', lasting: true });
  });

  it('is not where one takes it then, and never again', async () => {
    const [one, other] = [refuser(), refuser()];
    const propagation = propagationOver(one, other);
    await propagation.broadcast([RAW]);
    other.post = TAKEN;
    await pass(MINUTE_S);
    other.post = REFUSED;
    await propagation.broadcast([RAW]);
    await pass(60 * MINUTE_S);
    expect(propagation.standing(TXID)).toEqual({ kind: 'unseen' });
    expect(told.some((standing) => standing.kind === 'refused' && standing.lasting)).toBe(false);
  });

  it('by nobody, as nobody can be reached, is tried again until somebody can', async () => {
    const server: Server = { post: 'drop', get: 'drop' };
    const propagation = propagationOver(server);
    await propagation.broadcast([RAW]);
    await pass(5 * MINUTE_S);
    expect([propagation.standing(TXID), told]).toEqual([{ kind: 'waiting' }, []]);
    server.post = TAKEN;
    await pass(20 * MINUTE_S);
    expect(propagation.standing(TXID)).toEqual({ kind: 'seen' });
  });

  it('is not sent again after a stop, nor told of', async () => {
    const propagation = propagationOver(refuser());
    await propagation.broadcast([RAW]);
    propagation.stop();
    const before = [asked.length, told.length];
    await pass(60 * MINUTE_S);
    expect([asked.length, told.length]).toEqual(before);
  });
});

describe('what waits to be looked after', () => {
  it('is looked after only when it is time, however often that is asked for', async () => {
    const propagation = propagationOver(swallower(), refuser());
    await propagation.broadcast([RAW]);
    const { length } = asked;
    clock.advance(9_999);
    propagation.rebroadcast();
    propagation.rebroadcast();
    await settle();
    expect(asked.length).toBe(length);
    clock.advance(1);
    propagation.rebroadcast();
    propagation.rebroadcast();
    await settle();
    expect(asked.slice(length)).toEqual(['GET 1', 'GET 0', 'POST 0', 'POST 1']);
  });

  it('is looked after once after a long sleep of the device', async () => {
    const propagation = propagationOver(swallower(), refuser());
    await propagation.broadcast([RAW]);
    const { length } = asked;
    clock.advance(8 * 60 * MINUTE_S * 1_000);
    for (let tick = 0; tick < 5; tick++) {
      propagation.rebroadcast();
      await settle();
    }
    expect(asked.slice(length)).toEqual(['GET 1', 'GET 0', 'POST 0', 'POST 1']);
  });

  it('is not held up by another package with which a server hangs', async () => {
    const other = encodeTransaction({ ...decodeTransaction(RAW), locktime: 7 });
    const sent: unknown[] = [];
    const network = new FakePlatform((path, init) => {
      if (init?.method !== 'POST') return path.includes(TXID) ? 'hang' : NOT_FOUND;
      sent.push(init.body);
      return TAKEN;
    });
    const sources = [0, 1].map((index) => esploraAt(`http://${index}.test`, { ...clock, fetch: network.fetch }));
    const propagation = propagationWith(sources);
    for (const each of [RAW, other]) await propagation.broadcast([each]);
    sent.length = 0;
    await pass(10);
    expect(sent).toEqual([toHex(other), toHex(other)]);
  });
});

it('an error of ours about what one server says ends nothing: the transaction is sent again until another shows it', async () => {
  const broken = esploraAt('http://broken.test', { ...clock, fetch: () => Promise.reject(new TypeError('away')) });
  const failing = (): Promise<never> => Promise.reject(new RangeError('ours'));
  Object.assign(broken, { transaction: failing, broadcast: failing });
  const other = new FakePlatform((_, init) => (init?.method === 'POST' ? TAKEN : NOT_FOUND));
  const taking = esploraAt('http://taking.test', { ...clock, fetch: other.fetch });
  const outcomes = await propagationWith([broken, taking]).broadcast([RAW]);
  expect(outcomes).toMatchObject([{ result: { kind: 'accepted' } }]);
  const before = other.requests.length;
  await pass(6 * MINUTE_S);
  expect(other.requests.length).toBeGreaterThan(before + 2);
  expect(told.at(-1)).toEqual({ kind: 'unseen' });
});
