import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EsploraApi } from '../../../worker/edges/chain/esplora-api.ts';
import { EsploraHttp } from '../../../worker/edges/chain/esplora-http.ts';
import { workerPlatform } from '../../../worker/edges/chain/platform.ts';
import { fromHex, reversed, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { decodeTransaction, transactionId } from '../../../worker/engine/transactions/transaction.ts';
import { close, listen } from '../../world/http-server.ts';
import { FakePlatform, type Answer } from './fake-platform.ts';
import { esploraAt } from './esplora-at.ts';

const hash = 'ab'.repeat(32);
const server = createServer((request, response) => {
  const body = request.url === '/bomb' ? Buffer.alloc(40_000_000, '0') : Buffer.from(hash);
  response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' }).end(gzipSync(body));
});
let url = '';

beforeAll(async () => {
  url = `http://127.0.0.1:${await listen(server)}`;
});
afterAll(() => close(server));

it('reads what comes compressed, and counts the bytes that it becomes', async () => {
  const http = new EsploraHttp(url, workerPlatform, 10_000);
  expect(await http.get('/blocks/tip/hash')).toEqual({ status: 200, body: hash, isPage: false });
  await expect(http.get('/bomb')).rejects.toMatchObject({ code: 'ChainSourceBadReply' });
});

const page = (status: number): Answer => ({ status, body: '<!DOCTYPE html><pre>Cannot GET', type: 'text/html' });

it('a page says that there is no such route, and nothing of what was asked for', async () => {
  const asked: string[] = [];
  const platform = new FakePlatform((path) => {
    asked.push(path);
    return path.endsWith('/txids') ? { body: JSON.stringify([hash]), type: 'application/json' } : page(404);
  });
  const api = esploraAt('http://esplora.test', platform);
  expect([await api.coinbaseTxid(hash), await api.coinbaseTxid(hash)]).toEqual([hash, hash]);
  // It is remembered that there is none.
  expect(asked).toEqual([`/block/${hash}/txid/0`, `/block/${hash}/txids`, `/block/${hash}/txids`]);
  for (const call of [() => api.transaction(hash), () => api.status(hash), () => api.blockHash(7)])
    await expect(call()).rejects.toMatchObject({ code: 'ChainSourceBadReply' });
});

/** mempool's own backend, which tells of a spending only that there is one. */
const raw = fromHex(`0200000001${'00'.repeat(36)}00ffffffff01e803000000000000015100000000`);
const spent = toHex(reversed(transactionId(decodeTransaction(raw))));
const unnamed = (history: (path: string) => readonly object[]): EsploraApi =>
  esploraAt(
    'http://esplora.test',
    new FakePlatform((path) => {
      if (path.endsWith('/outspends')) return { body: JSON.stringify([{ spent: true }]) };
      if (path.endsWith('/hex')) return { body: toHex(raw) };
      return path.includes('/scripthash/') ? { body: JSON.stringify(history(path)) } : page(404);
    }),
  );
const listed = (txid: string, of: string): object => ({
  txid,
  status: { confirmed: false },
  vin: [{ txid: of, vout: 0 }],
});

it('a spending of which nobody is named is found in the history of its script', async () => {
  const api = unnamed(() => [listed('cd'.repeat(32), hash), listed(hash, spent)]);
  expect(await api.outspend(spent, 0)).toEqual({ spent: true, txid: hash, status: { confirmed: false } });
});

it.each([
  ['has an end', (): readonly object[] => []],
  ['has none', (): readonly object[] => [listed(hash, hash)]],
])('a spending that nobody has made is not believed, where the history %s', async (_name, history) => {
  await expect(unnamed(history).outspend(spent, 0)).rejects.toMatchObject({ code: 'ChainSourceBadReply' });
});
