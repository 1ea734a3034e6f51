import { describe, expect, it } from 'vitest';
import type { EsploraApi } from '../../../worker/edges/chain/esplora-api.ts';
import { OldHeaders } from '../../../worker/edges/chain/old-headers.ts';
import { concat, fromHex } from '../../../worker/engine/primitives/bytes.ts';
import { FakePlatform, type Answer } from './fake-platform.ts';
import { HeaderServer, headersOn, regtestChain } from './regtest-headers.ts';
import { esploraAt } from './esplora-at.ts';

const genesis = regtestChain().tip.header;
const main = [genesis, ...headersOn(genesis, 4100)];
/** The chain begins in the third period. */
const chain = regtestChain(main[4050]?.raw, 4050);
const hashOf = (height: number): Uint8Array => fromHex(main[height]?.hash.slice(32) ?? '');
const load = (): Promise<Uint8Array> => Promise.resolve(concat(hashOf(2015), hashOf(4031)));
const apiOf = (answer: (path: string) => Answer): EsploraApi =>
  esploraAt('http://esplora.test', new FakePlatform(answer));

describe('headers below the chain', () => {
  it.each([
    [2015, 1],
    [2014, 1],
    [2000, 2],
    [1, 202],
    [4031, 1],
    [2016, 202],
    [4049, 1],
    [4035, 2],
  ])('are proven up to the next block that is known: %i, with %i requests', async (height, requests) => {
    const server = new HeaderServer(main);
    const old = new OldHeaders(load);
    await expect(old.prove(apiOf(server.answer), chain, height)).resolves.toEqual(main[height]);
    expect([server.asked.length, old.at(height)]).toEqual([requests, main[height]]);
  });

  it('are linked down from the chain where no block of theirs is known', async () => {
    const server = new HeaderServer(main);
    const old = new OldHeaders(() => Promise.resolve(new Uint8Array(0)));
    await expect(old.prove(apiOf(server.answer), chain, 1990)).resolves.toEqual(main[1990]);
    const asked = server.asked.length;
    await expect(old.prove(apiOf(server.answer), chain, 3000)).resolves.toEqual(main[3000]);
    expect(server.asked.length).toBe(asked);
    const forked = [...main.slice(0, 2000), ...headersOn(main[1999] ?? genesis, 2100, { salt: 1 })];
    const other = new OldHeaders(() => Promise.resolve(new Uint8Array(0)));
    await expect(other.prove(apiOf(new HeaderServer(forked).answer), chain, 1990)).rejects.toMatchObject({
      code: 'ChainSourceBadReply',
    });
  });

  it('are asked for once, by several at a time too, and not again in the next run', async () => {
    const server = new HeaderServer(main);
    const old = new OldHeaders(load);
    const heights = [2001, 1990, 2008, 1990];
    const found = await Promise.all(heights.map((height) => old.prove(apiOf(server.answer), chain, height)));
    expect(found).toEqual(heights.map((height) => main[height]));
    expect(server.asked.length).toBe(3);
    const next = new OldHeaders(load, old.proven);
    await next.prove(apiOf(server.answer), chain, 1990);
    expect([server.asked.length, next.proven]).toEqual([3, old.proven]);
  });

  it('are the same where two servers tell of a period at once', async () => {
    const old = new OldHeaders(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return load();
    });
    const servers = ['http://first.test', 'http://second.test'].map((url) =>
      esploraAt(url, new FakePlatform(new HeaderServer(main).answer)),
    );
    const found = await Promise.all(servers.map((api) => old.prove(api, chain, 1990)));
    expect(found).toEqual([main[1990], main[1990]]);
    await expect(old.prove(apiOf(new HeaderServer(main).answer), chain, 1980)).resolves.toEqual(main[1980]);
  });

  it.each([
    ['another chain', [...main.slice(0, 1900), ...headersOn(main[1899] ?? genesis, 200, { salt: 1 })]],
    ['fewer blocks', main.slice(0, 2000)],
  ])('are refused where they do not lead to it: %s', async (_name, headers) => {
    const old = new OldHeaders(load);
    const server = new HeaderServer(headers);
    await expect(old.prove(apiOf(server.answer), chain, 1950)).rejects.toMatchObject({ code: 'ChainSourceBadReply' });
    expect(old.at(1950)).toBeUndefined();
    await expect(old.prove(apiOf(new HeaderServer(main).answer), chain, 1950)).resolves.toEqual(main[1950]);
  });

  it('stay proven where a request fails', async () => {
    const old = new OldHeaders(load);
    const server = new HeaderServer(main);
    let asked = 0;
    const api = apiOf((path) => (++asked % 5 === 0 ? { status: 503, body: '' } : server.answer(path)));
    let attempts = 1;
    while (!(await old.prove(api, chain, 1800).catch(() => undefined))) attempts++;
    expect([attempts, server.asked.length]).toEqual([6, 22]);
  });

  it('are refused where the server has a page of none', async () => {
    const old = new OldHeaders(load);
    const api = apiOf(() => ({ body: '[]' }));
    await expect(old.prove(api, chain, 1800)).rejects.toMatchObject({ code: 'ChainSourceBadReply' });
  });
});
