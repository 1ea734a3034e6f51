import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ControlServer } from './control.ts';
import { StaticServer } from './static-server.ts';
import { World } from './world.ts';

describe('ControlServer', () => {
  let world: World;
  let control: ControlServer;

  beforeAll(async () => {
    world = await World.start({ withoutBob: true });
    control = new ControlServer(world);
    await control.listen();
  });

  afterAll(async () => {
    await control.stop();
    await world.stop();
  });

  it('tells where everything is, to any origin', async () => {
    const response = await fetch(`${control.url}/state`);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(await response.json()).toMatchObject({
      network: 'regtest',
      esploraUrl: world.esplora.url,
      proxyUrl: world.proxy.url,
      peer: { nodeId: world.alice.id, port: world.ports.aliceTcp },
      recipient: null,
      height: world.chain.height,
    });
  });

  it('mines, funds and reorganizes', async () => {
    const { height } = world.chain;
    expect(await post('/mine', { blocks: 2 })).toEqual({ height: height + 2 });
    const { txid } = await post('/fund', { address: world.alice.wallet.address, sats: 12_345 });
    expect(world.chain.find(String(txid))?.at?.block.height).toBe(height + 3);
    expect(await post('/reorg', { depth: 1, keepOut: true })).toEqual({ height: height + 4 });
    expect(world.chain.find(String(txid))).toBeUndefined();
  });

  it('drives a node by its name', async () => {
    const { bolt11 } = await post('/nodes/alice/invoice', { msat: 21_000, description: 'x', expirySeconds: 60 });
    expect(bolt11).toMatch(/^lnbcrt210n1/);
    expect(await post('/nodes/alice/zero-conf', { on: true })).toEqual({});
    expect(world.alice.reactions.zeroConf).toBe(true);
    expect(await post('/nodes/alice/hold', { on: true })).toEqual({ held: 0 });
    expect(await post('/nodes/alice/fail-held', {})).toEqual({ failed: 0 });
    await post('/nodes/alice/restart', {});
    expect(await get('/nodes/alice/events?since=0')).toMatchObject([{ kind: 'Restarted' }]);
    expect(await get('/nodes/alice/channels')).toEqual([]);
  });

  it('sets feerates and faults', async () => {
    await post('/fees', { estimates: { '1': 50, '6': 25 } });
    expect(world.esplora.feeEstimates).toEqual({ 1: 50, 6: 25 });
    await post('/fees', {});
    expect(world.esplora.feeEstimates[1]).toBe(10);
    const fault = { kind: 'answer', status: 500, body: 'no', times: 1, path: '^/mempool' };
    expect(await post('/esplora/fault', fault)).toEqual({ waiting: 1 });
    expect((await fetch(`${world.esplora.url}/mempool`)).status).toBe(500);
    expect(await post('/proxy/fault', { kind: 'silent' })).toEqual({ kind: 'silent' });
    expect(world.proxy.fault).toEqual({ kind: 'silent' });
    await post('/mempool/minimum', { satPerVbyte: 5 });
    await post('/esplora/packages', { on: false });
    expect(await get('/state')).toMatchObject({ mempoolMinimum: 5, packages: false });
  });

  it.each([
    ['/reorg', {}, 'depth is missing'],
    ['/mine', { blocks: -1 }, 'blocks is not a whole number'],
    ['/mempool/minimum', {}, 'satPerVbyte is missing'],
    ['/nodes/dave/restart', {}, 'no node is called dave'],
    ['/nodes/alice/pay', { bolt11: 'nonsense' }, 'LDK cannot read the invoice'],
    ['/nodes/alice/open', { nodeId: '02', sats: 'many' }, 'sats is not a whole number'],
    ['/proxy/fault', { kind: 'melt' }, 'kind is none of none, silent, refuse, limit'],
  ])('refuses %s %o', async (path, body, error) => {
    const response = await fetch(`${control.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error });
  });

  it('knows its commands', async () => {
    expect((await fetch(`${control.url}/nodes/alice/fly`, { method: 'POST' })).status).toBe(404);
  });

  async function get(path: string): Promise<unknown> {
    const response = await fetch(`${control.url}${path}`);
    expect(response.status).toBe(200);
    return response.json();
  }

  async function post(path: string, body: object): Promise<Record<string, unknown>> {
    const response = await fetch(`${control.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    const answer: unknown = await response.json();
    expect(response.status, JSON.stringify(answer)).toBe(200);
    return answer as Record<string, unknown>;
  }
});

describe('StaticServer', () => {
  let directory: string;
  let site: StaticServer;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'glowworm-site-'));
    await mkdir(join(directory, 'dist', 'assets'), { recursive: true });
    await writeFile(join(directory, 'secret.txt'), 'secret');
    await writeFile(join(directory, 'dist', 'index.html'), '<!doctype html>');
    await writeFile(join(directory, 'dist', 'assets', 'worker.js'), 'self');
    site = new StaticServer({
      directory: join(directory, 'dist'),
      connectsTo: ['http://127.0.0.1:1', 'ws://127.0.0.1:2'],
      documents: { '/world.json': { network: 'regtest' } },
    });
    await site.listen();
  });

  afterAll(async () => {
    await site.stop();
    await rm(directory, { recursive: true });
  });

  it.each([
    ['', 200, 'text/html; charset=utf-8', '<!doctype html>'],
    ['wallet/receive', 200, 'text/html; charset=utf-8', '<!doctype html>'],
    ['assets/worker.js', 200, 'text/javascript; charset=utf-8', 'self'],
    ['world.json', 200, 'application/json', '{"network":"regtest"}'],
    ['assets/missing.js', 404, 'text/plain; charset=utf-8', 'not found'],
    ['..%2fsecret.txt', 400, null, ''],
  ])('answers /%s with %i', async (path, status, type, body) => {
    const response = await fetch(`${site.url}${path}`);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      status,
      type,
      body,
    ]);
  });

  it("gives pages and workers a policy that allows the world's servers and no foreign script", async () => {
    const policy = (await fetch(`${site.url}assets/worker.js`)).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("worker-src 'self';");
    expect(policy).toContain("connect-src 'self' http://127.0.0.1:1 ws://127.0.0.1:2;");
  });
});
