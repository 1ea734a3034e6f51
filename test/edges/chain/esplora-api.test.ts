import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import funding from '../../vectors/bolt03-funding-tx.json' with { type: 'json' };
import type { EsploraApi } from '../../../worker/edges/chain/esplora-api.ts';
import { scripthash } from '../../../worker/engine/wallet/address.ts';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import { FakePlatform, type Answer } from './fake-platform.ts';
import { esploraAt } from './esplora-at.ts';

const api = (answer: Answer | ((path: string, init?: RequestInit) => Answer)): EsploraApi =>
  esploraAt('http://esplora.test/api/', new FakePlatform(typeof answer === 'function' ? answer : () => answer), 1000);
const code = (name: string): unknown => expect.objectContaining({ code: name });
const json = (value: unknown): Answer => ({ body: JSON.stringify(value), type: 'application/json' });
const hash = 'ab'.repeat(32);
const rawTx = fromHex(funding.funding_tx_hex);
const script = fromHex('0014751e76e8199196d454941c45d1b3a323f1433bd6');

describe('EsploraApi', () => {
  it('asks below its base URL', async () => {
    const platform = new FakePlatform(() => ({ body: hash }));
    expect(await esploraAt('http://esplora.test/api/', platform).tipHash()).toBe(hash);
    expect(platform.requests).toEqual(['http://esplora.test/api/blocks/tip/hash']);
  });

  it.each<[string, Answer, string]>([
    ['a lost connection', 'drop', 'ChainSourceUnavailable'],
    ['a broken server', { status: 503, body: 'down' }, 'ChainSourceUnavailable'],
    ['too many requests', { status: 429, body: 'slow down' }, 'ChainSourceRateLimited'],
    ['a web page', { body: '<!DOCTYPE html><p>Sign in', type: 'text/html' }, 'ChainSourceBadReply'],
    ['a web page of no type', { body: ' <html>' }, 'ChainSourceBadReply'],
    ['an empty answer', { body: '' }, 'ChainSourceBadReply'],
    ['a short hash', { body: 'abcd' }, 'ChainSourceBadReply'],
    ['a refusal', { status: 403, body: 'no' }, 'ChainSourceBadReply'],
  ])('says what %s is', async (_, answer, expected) => {
    await expect(api(answer).tipHash()).rejects.toThrow(code(expected));
  });

  it('stops reading where the bytes do not end', async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent++;
        controller.enqueue(new Uint8Array(1_000_000).fill(0x61));
      },
    });
    const platform = { ...new FakePlatform(() => 'hang'), fetch: () => Promise.resolve(new Response(endless)) };
    const asked = esploraAt('http://esplora.test', { ...platform, now: () => 0, after: () => () => undefined });
    await expect(asked.tipHash()).rejects.toThrow(code('ChainSourceBadReply'));
    expect(sent).toBeLessThan(12);
  });

  it('asks for nothing that a cache has', async () => {
    let given: RequestInit | undefined;
    const platform = new FakePlatform((_, init) => {
      given = init;
      return { body: hash };
    });
    await esploraAt('http://esplora.test', platform).tipHash();
    expect(given?.cache).toBe('no-store');
  });

  it('gives up after its time', async () => {
    const platform = new FakePlatform(() => 'hang');
    const asked = esploraAt('http://esplora.test', platform, 1000).tipHeight();
    platform.advance(1000);
    await expect(asked).rejects.toThrow('no answer in time');
  });

  it('takes a transaction only by its own id', async () => {
    const server = api({ body: funding.funding_tx_hex });
    expect(toHex((await server.transaction(funding.funding_txid)) ?? new Uint8Array())).toBe(funding.funding_tx_hex);
    await expect(server.transaction(hash)).rejects.toThrow(code('ChainSourceBadReply'));
    await expect(api({ body: 'beef' }).transaction(hash)).rejects.toThrow(code('ChainSourceBadReply'));
    expect(await api({ status: 404, body: 'Transaction not found' }).transaction(hash)).toBeUndefined();
  });

  it('takes a header only by its own hash', async () => {
    await expect(api({ body: '00'.repeat(80) }).header(hash)).rejects.toThrow(code('ChainSourceBadReply'));
  });

  it('reads what is spent, where, and what is not', async () => {
    const status = { confirmed: true, block_height: 7, block_hash: hash, block_time: 1 };
    expect(await api(json({ spent: true, txid: hash, vin: 0, status })).outspend(hash, 0)).toEqual({
      spent: true,
      txid: hash,
      status: { confirmed: true, blockHeight: 7, blockHash: hash },
    });
    expect(await api(json({ spent: false })).outspend(hash, 0)).toEqual({ spent: false });
    await expect(api(json({ spent: 'yes' })).outspend(hash, 0)).rejects.toThrow(code('ChainSourceBadReply'));
  });

  it('passes on why a transaction is refused', async () => {
    const bodies: unknown[] = [];
    const server = api((_, init) => (bodies.push(init?.body), { status: 400, body: 'bad-txns' }));
    expect(await server.broadcast(Uint8Array.of(1, 2))).toEqual({ kind: 'refused', reason: 'bad-txns' });
    expect(bodies).toEqual(['0102']);
  });

  it('submits a package as a list of hex, and bounds what is said about it', async () => {
    const bodies: unknown[] = [];
    const words = 'no '.repeat(1_000);
    const results = (count: number): Answer => {
      const entries = Array.from({ length: count }, (_, index) => [
        index,
        { txid: funding.funding_txid, error: words },
      ]);
      return json({ package_msg: 'transaction failed', 'tx-results': Object.fromEntries(entries) });
    };
    const server = api((path, init) => (bodies.push(path, init?.body, init?.headers), results(25)));
    const refused = { kind: 'refused', reason: words.slice(0, 500) };
    expect(await server.broadcastPackage([rawTx, rawTx])).toEqual([refused, refused]);
    expect(bodies).toEqual([
      '/api/txs/package',
      `["${funding.funding_tx_hex}","${funding.funding_tx_hex}"]`,
      undefined,
    ]);
    await expect(api(results(26)).broadcastPackage([rawTx, rawTx])).rejects.toThrow(code('ChainSourceBadReply'));
    for (const status of [404, 405])
      expect(await api({ status, body: 'no' }).broadcastPackage([rawTx])).toBeUndefined();
  });

  it.each([
    '{"error":"submitpackage RPC error: {\\"code\\":-1}"}',
    'submitpackage RPC error: {"code":-1,"message":"Invalid request body (should be an array of hexadecimal strings)"}',
  ])('submits a package as JSON where the server says that it reads nothing else: %s', async (unread) => {
    const types: (string | null)[] = [];
    const server = api((_, init) => {
      types.push(new Headers(init?.headers).get('content-type'));
      if (types.at(-1) === null) return { status: 400, body: unread };
      return json({ package_msg: 'success', 'tx-results': { aa: { txid: funding.funding_txid } } });
    });
    for (let time = 0; time < 2; time++) expect(await server.broadcastPackage([rawTx])).toEqual([{ kind: 'accepted' }]);
    expect(types).toEqual([null, 'application/json', 'application/json']);
  });

  it('takes the estimates of the other API where there are none of its own, and asks for those from then on', async () => {
    const asked: string[] = [];
    const recommended = { fastestFee: 9, halfHourFee: 7, hourFee: 5, economyFee: 2, minimumFee: 1 };
    const server = api((path) => {
      asked.push(path);
      return path.endsWith('recommended') ? json(recommended) : json({});
    });
    const estimates = new Map([
      [1, 9],
      [3, 7],
      [6, 5],
      [144, 2],
    ]);
    expect([await server.feeEstimates(), await server.feeEstimates()]).toEqual([estimates, estimates]);
    expect(asked.map((path) => path.split('/').at(-1))).toEqual(['fee-estimates', 'recommended', 'recommended']);
    await expect(api(json({})).feeEstimates()).rejects.toThrow(code('ChainSourceBadReply'));
    await expect(api({ status: 429, body: '' }).feeEstimates()).rejects.toThrow(code('ChainSourceRateLimited'));
  });

  it('takes every answer that is good', async () => {
    expect(await api({ status: 203, body: hash }).tipHash()).toBe(hash);
    await expect(api({ status: 302, body: hash }).tipHash()).rejects.toThrow(code('ChainSourceBadReply'));
  });

  it.each<[string, Answer]>([
    ['a page', { status: 404, body: '<!DOCTYPE html><pre>Cannot GET', type: 'text/html' }],
    ['words', { status: 404, body: 'endpoint does not exist' }],
    ['another method', { status: 405, body: '' }],
  ])(
    'asks for the address where there is no route for the hash of a script, of which %s tells once',
    async (_, none) => {
      const asked: string[] = [];
      const counts = { chain_stats: { tx_count: 2 }, mempool_stats: { tx_count: 1 } };
      const status = { confirmed: true, block_height: 7, block_hash: hash };
      const server = api((path) => {
        asked.push(path.replace('/api/', '').replace(scripthash(script), 'HASH'));
        if (path.includes('/scripthash/')) return none;
        return json(path.includes('/txs') ? [{ txid: hash, status }] : counts);
      });
      expect(await server.scriptStats(script)).toEqual({ confirmed: 2, unconfirmed: 1 });
      const [last] = await server.scriptTxs(script);
      if (last === undefined) throw new Error('there is one');
      await server.scriptTxsAfter(script, last);
      const address = 'address/bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
      expect(asked).toEqual(['scripthash/HASH', address, `${address}/txs`, `${address}/txs/chain/${hash}`]);
      // Who has no address cannot be asked for there.
      await expect(server.scriptStats(Uint8Array.of(0x6a, 1, 2))).rejects.toThrow(code('ChainSourceBadReply'));
    },
  );

  it('takes a server that finds nothing at all for one that has lost its way, and not for one without the route', async () => {
    const asked: string[] = [];
    let isLost = true;
    const server = api((path) => {
      asked.push(path.split('/')[2] ?? '');
      if (isLost) return { status: 404, body: 'no such server' };
      return json({ chain_stats: { tx_count: 0 }, mempool_stats: { tx_count: 0 } });
    });
    await expect(server.scriptStats(script)).rejects.toThrow(code('ChainSourceBadReply'));
    isLost = false;
    await server.scriptStats(script);
    expect(asked).toEqual(['scripthash', 'address', 'scripthash']);
  });

  it('asks for the next page by either route', async () => {
    const asked: string[] = [];
    const server = esploraAt('http://esplora.test', {
      ...new FakePlatform(() => 'hang'),
      now: () => 0,
      after: () => () => undefined,
      fetch: (url) => {
        asked.push(url.slice(`http://esplora.test/scripthash/${scripthash(script)}`.length));
        const isThere = url.includes('after_txid');
        return Promise.resolve(isThere ? new Response('[]') : new Response('no', { status: 404 }));
      },
    });
    const status = { confirmed: true, blockHeight: 7, blockHash: hash } as const;
    for (let page = 0; page < 2; page++)
      expect(await server.scriptTxsAfter(script, { txid: hash, status })).toEqual([]);
    const other = `/txs?after_txid=${hash}`;
    expect(asked).toEqual([`/txs/chain/${hash}`, other, `/txs/chain/${hash}`, other]);
    asked.length = 0;
    await server.scriptTxsAfter(script, { txid: hash, status: { confirmed: false } });
    expect(asked).toEqual([other]);
  });

  it('answers any JSON with a value or a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const server = api(json(value));
        const calls = [
          () => server.status(hash),
          () => server.outspend(hash, 0),
          () => server.merkleProof(hash),
          () => server.scriptStats(script),
          () => server.scriptTxs(script),
          () => server.headersDownFrom(5),
          () => server.feeEstimates(),
          () => server.tipHeight(),
          () => server.broadcastPackage([rawTx]),
          () => api(json({ package_msg: value, 'tx-results': value })).broadcastPackage([rawTx]),
          () =>
            api(json({ package_msg: value, 'tx-results': [{ txid: hash, error: value }] })).broadcastPackage([rawTx]),
        ];
        for (const call of calls)
          await call().catch((error: unknown) => {
            expect(error instanceof GlowwormError && error.code).toBe('ChainSourceBadReply');
          });
      }),
    );
  });
});
