import { describe, expect, it } from 'vitest';
import type { EsploraApi } from '../../../worker/edges/chain/esplora-api.ts';
import type { BlockHeader } from '../../../worker/edges/chain/block-header.ts';
import { CHAIN_PARAMETERS } from '../../../worker/edges/chain/chain-parameters.ts';
import { HeaderChain } from '../../../worker/edges/chain/header-chain.ts';
import type { HeaderSync } from '../../../worker/edges/chain/header-sync.ts';
import { randomOf } from '../../simulation/random.ts';
import { FakePlatform, type Answer } from './fake-platform.ts';
import { HeaderServer, headersOn, regtestChain } from './regtest-headers.ts';
import { esploraAt } from './esplora-at.ts';
import { headerSyncOf } from './sync-of.ts';

const genesis = regtestChain();
const main = [genesis.tip.header, ...headersOn(genesis.tip.header, 2500)];
const until = (height: number): readonly BlockHeader[] => main.slice(0, height + 1);
const chainUntil = (height: number): HeaderChain => genesis.extend(0, until(height).slice(1));

/** The main chain up to a fork, and other blocks on top of it. */
const branch = (fork: number, count: number, salt = 1): readonly BlockHeader[] => [
  ...until(fork),
  ...headersOn(main[fork] ?? genesis.tip.header, count, { salt }),
];

const apiOf = (answer: (path: string) => Answer): EsploraApi =>
  esploraAt('http://esplora.test', new FakePlatform(answer));

const follow = (sync: HeaderSync, server: HeaderServer): Promise<void> =>
  sync.follow(apiOf(server.answer), server.tipHash);

describe('a chain of headers that follows a server', () => {
  it.each([
    [1, 10, 1],
    [3, 10, 3],
    [4, 10, 6],
    [25, 10, 8],
    [25, 15, 7],
    [25, 3, 15],
  ])('is at its tip %i blocks on, of which a page has %i, after %i requests', async (blocks, page, requests) => {
    const sync = headerSyncOf(chainUntil(100));
    const server = new HeaderServer(until(100 + blocks), { page });
    await follow(sync, server);
    expect([sync.best.tip.header.hash, server.asked.length]).toEqual([server.tipHash, requests]);
  });

  it('catches up with a fortnight in a request for each page and a few more', async () => {
    const sync = headerSyncOf(chainUntil(100));
    const server = new HeaderServer(until(2116));
    await follow(sync, server);
    expect(sync.best.tip.height).toBe(2116);
    expect(server.asked.length).toBeLessThan(212);
  });

  it.each([1, 2, 13, 144, 1900])('follows a reorganisation of %i blocks', async (depth) => {
    const sync = headerSyncOf(chainUntil(2000));
    const server = new HeaderServer(branch(2000 - depth, depth + 1));
    await follow(sync, server);
    expect([sync.best.tip.height, sync.best.tip.header.hash]).toEqual([2001, server.tipHash]);
    expect(server.asked.length).toBeLessThan(2 * Math.log2(depth) + depth / 10 + 10);
  });

  it('stays with its own where the other has as much work or less, and is behind neither', async () => {
    const sync = headerSyncOf(chainUntil(100));
    for (const headers of [branch(90, 10), branch(90, 4), until(95), until(0)]) {
      await follow(sync, new HeaderServer(headers));
      expect(sync.best.tip).toEqual({ height: 100, header: main[100] });
    }
    await follow(sync, new HeaderServer(branch(90, 11)));
    expect(sync.best.tip.height).toBe(101);
  });

  it('refuses a server without the block that all others link to', async () => {
    const sync = headerSyncOf(regtestChain(main[50]?.raw, 50).extend(50, main.slice(51, 61)));
    await expect(follow(sync, new HeaderServer(branch(40, 30)))).rejects.toMatchObject({ code: 'ChainSourceBadReply' });
    expect(sync.best.tip.height).toBe(60);
  });

  it('takes nothing of a header that breaks a rule, and keeps those below it', async () => {
    const bad = [...until(130), ...headersOn(main[130] ?? genesis.tip.header, 40, { bits: 0x207ffffe })];
    const sync = headerSyncOf(chainUntil(100));
    await expect(follow(sync, new HeaderServer(bad))).rejects.toMatchObject({ code: 'HeadersInvalid' });
    expect(sync.best.tip.height).toBe(130);
    await follow(sync, new HeaderServer(until(140)));
    expect(sync.best.tip.height).toBe(140);
  });

  it('tells of each longer chain, of no branch that is not heavier', async () => {
    const told: number[] = [];
    const sync = headerSyncOf(
      chainUntil(100),
      () => 0,
      ({ tip }) => told.push(tip.height),
    );
    await follow(sync, new HeaderServer(until(125)));
    await follow(sync, new HeaderServer(branch(80, 46)));
    expect(told).toEqual([110, 120, 125, 126]);
  });
});

describe('a chain of headers on its way to a tip', () => {
  it('leaves a server after its time, and goes on from there', async () => {
    let now = 0;
    const server = new HeaderServer(until(500));
    const api = apiOf((path) => {
      now += 1_000;
      return server.answer(path);
    });
    const sync = headerSyncOf(chainUntil(100), () => now);
    await sync.follow(api, server.tipHash, 20_000);
    const { height } = sync.best.tip;
    expect(height).toBeGreaterThan(150);
    expect(height).toBeLessThan(300);
    await sync.follow(api, server.tipHash);
    expect(sync.best.tip.height).toBe(500);
  });

  it('takes nothing from the future, on a network where that matters', async () => {
    const { rules } = CHAIN_PARAMETERS.regtest;
    const chain = HeaderChain.from({ ...rules, kind: 'testnet3' }, { height: 0, headers: [genesis.tip.header.raw] });
    const server = new HeaderServer(until(50));
    const now = (main[30]?.time ?? 0) - 2 * 60 * 60;
    const sync = headerSyncOf(chain, () => now * 1_000);
    await expect(follow(sync, server)).rejects.toThrow(/more than two hours ahead/);
    expect(sync.best.tip.height).toBe(30);
    const later = headerSyncOf(sync.best, () => (now + 1_000_000) * 1_000);
    await follow(later, server);
    expect(later.best.tip.height).toBe(50);
  });
});

describe('a chain of headers whose server fails', () => {
  /** Answers one request after the other, of which each with a chance fails. */
  const failing = (server: HeaderServer, chance: () => boolean): EsploraApi =>
    apiOf((path) => (chance() ? { status: 503, body: '' } : server.answer(path)));

  it.each([
    ['a longer chain', until(500), 100],
    ['a long branch', branch(100, 402), 500],
  ])('goes on where it stood, and does not ask twice: %s', async (_name, headers, from) => {
    const sync = headerSyncOf(chainUntil(from));
    const server = new HeaderServer(headers);
    let [asked, attempts] = [0, 0];
    const api = failing(server, () => ++asked % 25 === 0);
    while (sync.best.tip.header.hash !== server.tipHash) {
      expect(++attempts).toBeLessThan(20);
      await sync.follow(api, server.tipHash).catch(() => undefined);
    }
    const pages = server.asked.filter((path) => path.startsWith('/blocks/') && !path.endsWith('height'));
    expect(new Set(pages).size).toBe(pages.length);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'ends on the heaviest of random servers, whatever came first (seed %i)',
    async (seed) => {
      const below = randomOf(seed);
      const sync = headerSyncOf(chainUntil(below(150)));
      const servers = Array.from({ length: 5 }, (_, index) => {
        const fork = below(150);
        return new HeaderServer(branch(fork, below(60), index + 1), { page: [3, 10, 15][below(3)] ?? 10 });
      });
      const heaviest = Math.max(sync.best.tip.height, ...servers.map(({ tipHeight }) => tipHeight));
      for (let attempt = 0; attempt < 100; attempt++) {
        const server = servers[below(5)];
        if (server)
          await sync
            .follow(
              failing(server, () => below(10) === 0),
              server.tipHash,
            )
            .catch(() => undefined);
      }
      expect(sync.best.tip.height).toBe(heaviest);
    },
  );
});
