import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Wallet } from '../../../src/index.ts';
import { WORLD_COMMANDS } from '../../../src/app/world-commands.ts';
import { command, loadWorld, worldConfig, type World } from '../../../src/app/world.ts';
import { WALLET_CONFIG } from '../../../worker/client/endpoint-methods.ts';
import { ALICE, FakeWallet, INVOICE, runningSnapshot } from '../fake-wallet.ts';

const WORLD: World = {
  network: 'regtest',
  esploraUrl: 'http://127.0.0.1:3000',
  proxyUrl: 'ws://127.0.0.1:3001',
  controlUrl: 'http://127.0.0.1:3002',
  peer: { nodeId: ALICE, host: '127.0.0.1', port: 9735, wsUrl: 'ws://127.0.0.1:9736' },
};

afterEach(() => vi.unstubAllGlobals());

describe('loadWorld', () => {
  it.each([
    ['a world', () => Response.json(WORLD), WORLD],
    ['no file', () => new Response('not found', { status: 404 }), undefined],
    ['a page instead of a file', () => new Response('<!doctype html>'), undefined],
    ['some other file', () => Response.json({ hello: 1 }), undefined],
    ['no server', () => Promise.reject(new TypeError('failed to fetch')), undefined],
  ])('finds %s', async (_, fetch, world) => {
    vi.stubGlobal('fetch', fetch);
    expect(await loadWorld()).toEqual(world);
  });
});

describe('worldConfig', () => {
  it('is one that the worker accepts', () => {
    expect(WALLET_CONFIG(worldConfig(WORLD), 'config')).toEqual(worldConfig(WORLD));
  });
});

describe('command', () => {
  it("passes the world's refusal on", async () => {
    vi.stubGlobal('fetch', async () => Response.json({ error: 'sats is missing' }, { status: 400 }));
    await expect(command(WORLD, '/fund', {})).rejects.toMatchObject({
      code: 'WorldRefused',
      message: expect.stringContaining('sats is missing'),
    });
  });

  it('says when the world is gone', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed to fetch')));
    await expect(command(WORLD, '/mine', {})).rejects.toMatchObject({ code: 'WorldUnreachable' });
  });
});

describe('the commands of the panel', () => {
  it.each([
    ['Give me coins', '/fund', { address: expect.stringMatching(/^bcrt1/), sats: 1_000_000 }],
    ['Open a channel to me', '/nodes/alice/open', { nodeId: runningSnapshot().nodeId, sats: 500_000 }],
    ['Mine 1 block', '/mine', { blocks: 1 }],
    ['Mine 6 blocks', '/mine', { blocks: 6 }],
    ['Make an invoice', '/nodes/alice/invoice', { msat: 10_000_000, description: 'Regtest coffee' }],
    ['Pay me', '/nodes/alice/pay', { bolt11: INVOICE }],
  ])('%s', async (name, path, fields) => {
    const sent: unknown[] = [];
    vi.stubGlobal('location', { hash: '' });
    vi.stubGlobal('fetch', (url: string, { body }: { readonly body: string }) => {
      sent.push(url, JSON.parse(body));
      return Promise.resolve(Response.json({ height: 7, bolt11: INVOICE }));
    });
    const view = {
      wallet: new FakeWallet() as unknown as Wallet,
      snapshot: runningSnapshot(),
      events: [],
      dismiss: () => {},
      world: WORLD,
    };
    await WORLD_COMMANDS.find((candidate) => candidate.name === name)?.run(WORLD, view);
    expect(sent).toEqual([`${WORLD.controlUrl}${path}`, fields]);
    expect(location.hash).toBe(name === 'Make an invoice' ? `#/send/${INVOICE}` : '');
  });
});
