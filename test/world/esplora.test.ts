import { createHash } from 'node:crypto';
import { p2tr, p2wpkh, Transaction } from '@scure/btc-signer';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RegtestChain } from './chain.ts';
import { EsploraServer } from './esplora.ts';
import { REGTEST, scriptOfAddress } from './regtest-network.ts';

const privateKey = new Uint8Array(32).fill(7);
const account = p2wpkh(secp256k1.getPublicKey(privateKey, true), REGTEST);
const address = account.address ?? '';

let chain: RegtestChain;
let esplora: EsploraServer;

beforeAll(async () => {
  chain = await RegtestChain.start();
  esplora = new EsploraServer(chain);
  await esplora.listen();
});

afterAll(async () => {
  await esplora.stop();
  await chain.stop();
});

describe('RegtestChain', () => {
  it('links headers that meet their proof of work, and starts at the genesis block of regtest', () => {
    expect(chain.index.blockAt(0)?.hash).toBe('0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206');
    for (let height = 1; height <= chain.height; height++) {
      const block = chain.index.blockAt(height);
      const header = Buffer.from(block?.header ?? []);
      expect(reversed(sha256d(header))).toBe(block?.hash);
      expect(reversed(header.subarray(4, 36))).toBe(chain.index.blockAt(height - 1)?.hash);
      expect(header.readUInt32LE(72)).toBe(0x207fffff);
      expect(Number.parseInt(block?.hash.slice(0, 2) ?? 'ff', 16)).toBeLessThan(0x80);
    }
  });

  it('takes payments to taproot addresses', async () => {
    const taproot = p2tr(secp256k1.getPublicKey(privateKey, true).slice(1), undefined, REGTEST).address ?? '';
    const txid = await chain.fund(taproot, 50_000);
    await chain.mine();
    const [coin] = await getJson<Unspent[]>(`/address/${taproot}/utxo`);
    expect(coin).toMatchObject({ txid, value: 50_000 });
  });

  it('replaces a transaction by one that pays more, and refuses one that pays less', async () => {
    const coin = await coinOf(100_000);
    const first = spend(coin, 99_000);
    await chain.submit(first.raw);
    await expect(chain.submit(spend(coin, 99_500).raw)).rejects.toThrow('insufficient fee');
    const second = spend(coin, 98_000);
    await chain.submit(second.raw);
    expect(chain.mempoolTxs().map((tx) => tx.txid())).toEqual([second.txid]);
    await chain.mine();
  });

  it('refuses a replacement that adds a coin which is not confirmed', async () => {
    const coin = await coinOf(100_000);
    await chain.submit(spend(coin, 99_000).raw);
    const pending = await coinOf(50_000, { unconfirmed: true });
    await expect(chain.submit(spend([coin, pending], 140_000).raw)).rejects.toThrow('replacement-adds-unconfirmed');
    await chain.mine();
  });

  describe('with a mempool that asks for 5 sat/vB', () => {
    let coin: Unspent;
    /** 200 sat for 110 vbytes. */
    let parent: Spent;

    beforeEach(async () => {
      coin = await coinOf(100_000);
      parent = spend(coin, 99_800);
      chain.mempoolMinimum = 5;
    });

    afterEach(async () => {
      chain.mempoolMinimum = 0;
      await chain.mine();
    });

    it('refuses what pays less, and an orphan', async () => {
      await expect(chain.submit(parent.raw)).rejects.toThrow('mempool min fee not met, 200 < 550');
      await expect(chain.submit(childOf(parent, 5_000).raw)).rejects.toThrow('bad-txns-inputs-missingorspent');
      expect(chain.mempoolTxs()).toEqual([]);
      chain.mempoolMinimum = 1;
      expect(await chain.submit(parent.raw)).toBe(parent.txid);
    });

    it('takes a parent with the child that pays for both, and again', async () => {
      const child = childOf(parent, 900);
      const answer = { message: 'success', txs: [{ fee: 200 }, { fee: 900 }] };
      expect(await chain.submitPackage([parent.raw, child.raw])).toMatchObject(answer);
      expect(inMempool()).toEqual([parent.txid, child.txid].toSorted());
      expect(await chain.submitPackage([parent.raw, child.raw])).toMatchObject(answer);
    });

    it('refuses both where they pay too little together', async () => {
      const child = childOf(parent, 899);
      expect(await chain.submitPackage([parent.raw, child.raw])).toMatchObject({
        message: 'transaction failed',
        txs: [{ error: 'mempool min fee not met, 200 < 550' }, { error: 'mempool min fee not met, 1099 < 1100' }],
      });
      expect(inMempool()).toEqual([]);
    });

    it('takes a parent that is enough by itself, whatever its child pays', async () => {
      const enough = spend(coin, 99_450);
      expect(await chain.submitPackage([enough.raw, childOf(enough, 549).raw])).toMatchObject({
        message: 'transaction failed',
        txs: [{ fee: 550 }, { error: 'mempool min fee not met, 549 < 550' }],
      });
      expect(inMempool()).toEqual([enough.txid]);
    });

    it('takes a child whose parent is in already, in place of another', async () => {
      await chain.submitPackage([parent.raw, childOf(parent, 1_000).raw]);
      const child = childOf(parent, 2_000);
      expect(await chain.submitPackage([parent.raw, child.raw])).toMatchObject({ message: 'success' });
      expect(inMempool()).toEqual([parent.txid, child.txid].toSorted());
    });

    it('takes a child whose parent is in the chain', async () => {
      chain.mempoolMinimum = 0;
      await chain.submit(parent.raw);
      await chain.mine();
      chain.mempoolMinimum = 5;
      const child = childOf(parent, 1_000);
      expect(await chain.submitPackage([parent.raw, child.raw])).toMatchObject({
        message: 'transaction failed',
        txs: [{ error: 'txn-already-known' }, { fee: 1_000 }],
      });
      expect(inMempool()).toEqual([child.txid]);
    });

    it('lets both replace what the parent conflicts with, for more', async () => {
      const other = spend(coin, 99_000);
      await chain.submit(other.raw);
      expect(await chain.submitPackage([parent.raw, childOf(parent, 1_000).raw])).toMatchObject({
        message: 'package RBF failed: insufficient anti-DoS fees',
      });
      expect(await chain.submitPackage([parent.raw, childOf(parent, 1_100).raw])).toMatchObject({
        message: 'package RBF failed: insufficient feerate: does not improve feerate diagram',
      });
      expect(inMempool()).toEqual([other.txid]);
      const child = childOf(parent, 1_900);
      expect(await chain.submitPackage([parent.raw, child.raw])).toMatchObject({ message: 'success' });
      expect(inMempool()).toEqual([parent.txid, child.txid].toSorted());
    });

    it('lets both replace what the parent alone pays too little for', async () => {
      const other = spend(coin, 99_000);
      await chain.submit(other.raw);
      const enough = spend(coin, 99_400);
      const child = childOf(enough, 2_000);
      expect(await chain.submitPackage([enough.raw, child.raw])).toMatchObject({ message: 'success' });
      expect(inMempool()).toEqual([enough.txid, child.txid].toSorted());
    });

    it('takes nothing but a child with its parents', async () => {
      const child = childOf(parent, 1_000);
      const stranger = spend({ txid: 'ab'.repeat(32), vout: 0, value: 10_000 }, 9_000);
      for (const wrong of [
        [child.raw, parent.raw],
        [stranger.raw, child.raw],
      ])
        await expect(chain.submitPackage(wrong)).rejects.toThrow('package topology disallowed');
      expect(inMempool()).toEqual([]);
    });
  });

  it('forgets the transactions of a reorganized block with keepOut', async () => {
    const txid = await chain.fund(address, 60_000);
    await chain.mine();
    await chain.reorg(1, { keepOut: true });
    expect(chain.find(txid)).toBeUndefined();
  });
});

describe('EsploraServer', () => {
  it('shows a payment from the mempool to its confirmation, its spend, and back after a reorg', async () => {
    const coin = await coinOf(200_000, { unconfirmed: true });
    expect(await getJson(`/tx/${coin.txid}/status`)).toEqual({ confirmed: false });
    expect(await get(`/tx/${coin.txid}/merkle-proof`)).toMatchObject({ status: 404 });
    const pending = await getJson<{ txid: string }[]>(`/address/${address}/txs/mempool`);
    expect(pending.map((tx) => tx.txid)).toEqual([coin.txid]);

    await chain.mine();
    const status = await getJson<Status>(`/tx/${coin.txid}/status`);
    expect(status).toMatchObject({ confirmed: true, block_height: chain.height, block_hash: chain.tip.hash });
    expect(await merkleRootOf(coin.txid)).toBe(merkleRootInHeader((await get(`/block/${chain.tip.hash}/header`)).body));
    expect(await getJson(`/tx/${coin.txid}/outspend/${coin.vout}`)).toEqual({ spent: false });

    const spender = spend(coin, 190_000);
    expect(await post('/tx', Buffer.from(spender.raw).toString('hex'))).toEqual({ status: 200, body: spender.txid });
    const unconfirmedSpend = { spent: true, txid: spender.txid, vin: 0, status: { confirmed: false } };
    expect(await getJson(`/tx/${coin.txid}/outspend/${coin.vout}`)).toEqual(unconfirmedSpend);
    await chain.mine();
    const spent = await getJson<{ status: Status }>(`/tx/${coin.txid}/outspend/${coin.vout}`);
    expect(spent.status).toMatchObject({ confirmed: true, block_height: chain.height });

    const [stale, height] = [chain.tip.hash, chain.height];
    await chain.reorg(1);
    expect(await getJson(`/block/${stale}/status`)).toEqual({ in_best_chain: false });
    expect((await get(`/block-height/${height}`)).body).not.toBe(stale);
    expect(await getJson(`/tx/${coin.txid}/outspend/${coin.vout}`)).toEqual(unconfirmedSpend);
    await chain.mine();
    expect(await getJson(`/tx/${spender.txid}/status`)).toMatchObject({ confirmed: true, block_height: chain.height });
  });

  it('proves every transaction of a block with an odd number of them', async () => {
    await chain.fund(address, 30_000);
    await chain.fund(address, 31_000);
    await chain.mine();
    const { hash } = chain.tip;
    const txids = await getJson<string[]>(`/block/${hash}/txids`);
    const root = merkleRootInHeader((await get(`/block/${hash}/header`)).body);
    expect(txids).toHaveLength(3);
    expect(await Promise.all(txids.map(merkleRootOf))).toEqual([root, root, root]);
  });

  it('gives the same under /api, by address and by script hash', async () => {
    const scriptHash = createHash('sha256').update(scriptOfAddress(address)).digest('hex');
    const byAddress = await getJson<Unspent[]>(`/address/${address}/utxo`);
    expect(byAddress.length).toBeGreaterThan(0);
    expect(await getJson(`/api/scripthash/${scriptHash}/utxo`)).toEqual(byAddress);
    const stats = await getJson<{ chain_stats: Record<string, number> }>(`/scripthash/${scriptHash}`);
    const { funded_txo_sum: funded = 0, spent_txo_sum: spent = 0 } = stats.chain_stats;
    expect(funded - spent).toBe(byAddress.reduce((sum, coin) => sum + coin.value, 0));
  });

  it('pages through blocks and through the transactions of a script', async () => {
    const heights = (await getJson<{ height: number }[]>('/blocks')).map((block) => block.height);
    expect(heights).toEqual(Array.from({ length: 10 }, (_, i) => chain.height - i));
    expect((await getJson<{ height: number }[]>('/blocks/5')).map((block) => block.height)).toEqual([5, 4, 3, 2, 1, 0]);
    const faucet = chain.faucet.address;
    const first = await getJson<{ txid: string }[]>(`/address/${faucet}/txs/chain`);
    const second = await getJson<{ txid: string }[]>(`/address/${faucet}/txs/chain/${first.at(-1)?.txid ?? ''}`);
    expect(new Set([...first, ...second].map((tx) => tx.txid)).size).toBe(50);
  });

  it.each([
    ['/block-height/99999', 404, 'Block not found'],
    [`/block/${'00'.repeat(32)}`, 404, 'Block not found'],
    [`/tx/${'00'.repeat(32)}`, 404, 'Transaction not found'],
    [`/tx/${'00'.repeat(32)}/status`, 200, '{"confirmed":false}'],
    ['/tx/nonsense', 400, 'Invalid hex string'],
    ['/address/nonsense', 400, 'Invalid Bitcoin address'],
    ['/block-height/x', 400, 'Invalid number'],
    ['/nowhere', 404, 'endpoint does not exist "/nowhere"'],
  ])('answers %s with %i', async (path, status, body) => {
    expect(await get(path)).toEqual({ status, body });
  });

  it('refuses a transaction in the words of Bitcoin Core', async () => {
    const orphan = spend({ txid: 'ab'.repeat(32), vout: 0, value: 10_000 }, 9_000);
    const refused = await post('/tx', Buffer.from(orphan.raw).toString('hex'));
    const reason = '{"code":-25,"message":"bad-txns-inputs-missingorspent"}';
    expect(refused).toEqual({ status: 400, body: `sendrawtransaction RPC error: ${reason}` });
  });

  it('takes packages, and has no such endpoint where it is told so', async () => {
    const parent = spend(await coinOf(100_000), 99_800);
    const child = childOf(parent, 1_000);
    const body = JSON.stringify([parent, child].map(({ raw }) => Buffer.from(raw).toString('hex')));
    esplora.packages = false;
    expect((await post('/txs/package', body)).status).toBe(404);
    esplora.packages = true;
    chain.mempoolMinimum = 5;
    const answer = await post('/txs/package', body);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ package_msg: 'success', 'replaced-transactions': [] });
    const { 'tx-results': results } = JSON.parse(answer.body) as { 'tx-results': Record<string, { txid: string }> };
    expect(Object.values(results).map(({ txid }) => txid)).toEqual([parent.txid, child.txid]);
    expect(Object.keys(results)).not.toContain(parent.txid);
    for (const wrong of ['[]', '["00"]', '{}', 'x', `["${'ab'.repeat(60)}"]`])
      expect(await post('/txs/package', wrong)).toMatchObject({ status: 400 });
    chain.mempoolMinimum = 0;
    await chain.mine();
  });

  it('fails as it is told to, only for matching paths and only as often, and counts the requests', async () => {
    esplora.resetRequests();
    esplora.faults.add({ kind: 'answer', status: 429, body: 'slow down', times: 2, path: '^/blocks/tip' });
    esplora.faults.add({ kind: 'answer', status: 200, body: '<html>', type: 'text/html', path: '^/fee-estimates' });
    esplora.faults.add({ kind: 'drop', path: '^/mempool$' });
    expect(await get('/blocks/tip/height')).toEqual({ status: 429, body: 'slow down' });
    expect(await get('/api/blocks/tip/hash')).toMatchObject({ status: 429 });
    expect(await get('/blocks/tip/height')).toEqual({ status: 200, body: String(chain.height) });
    expect((await get('/fee-estimates')).body).toBe('<html>');
    await expect(get('/mempool')).rejects.toThrow();
    expect(esplora.faults.waiting).toBe(0);
    expect(esplora.requests).toEqual({
      '/blocks/tip/height': 2,
      '/blocks/tip/hash': 1,
      '/fee-estimates': 1,
      '/mempool': 1,
    });
  });

  it('has a page of blocks from its tip downwards only', async () => {
    expect(await get(`/blocks/${chain.height + 1}`)).toEqual({ status: 404, body: 'Block not found' });
  });

  it("proves a transaction by BIP 37's block, too", async () => {
    const txid = await chain.fund(address, 30_000);
    await chain.mine();
    const { status, body } = await get(`/tx/${txid}/merkleblock-proof`);
    const header = (await get(`/block/${chain.tip.hash}/header`)).body;
    expect([status, body.slice(0, 160), body.slice(160, 168)]).toEqual([200, header, '02000000']);
    expect(body).toContain(reversed(Buffer.from(txid, 'hex')));
  });

  it('lets answers be kept as real servers do, and no page read that it wants fewer requests', async () => {
    const headersOf = async (path: string): Promise<readonly (string | null)[]> => {
      const { headers } = await fetch(`${esplora.url}${path}`);
      return [headers.get('cache-control'), headers.get('access-control-allow-origin')];
    };
    expect(await headersOf('/blocks/tip/height')).toEqual(['public, max-age=10', '*']);
    expect(await headersOf(`/block/${chain.tip.hash}/header`)).toEqual(['public, max-age=157784630', '*']);
    esplora.faults.add({ kind: 'answer', status: 429 });
    expect(await headersOf('/blocks/tip/height')).toEqual([null, null]);
  });

  it('tells the feerates that it was given', async () => {
    esplora.feeEstimates = { 1: 87.5, 6: 20 };
    expect(await getJson('/fee-estimates')).toEqual({ 1: 87.5, 6: 20 });
  });
});

interface Unspent {
  readonly txid: string;
  readonly vout: number;
  readonly value: number;
}

interface Status {
  readonly confirmed: boolean;
  readonly block_height?: number;
  readonly block_hash?: string;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function get(path: string): Promise<Answer> {
  const response = await fetch(`${esplora.url}${path}`);
  return { status: response.status, body: await response.text() };
}

async function getJson<T = unknown>(path: string): Promise<T> {
  const { status, body } = await get(path);
  if (status !== 200) throw new Error(`${path}: ${status} ${body}`);
  return JSON.parse(body) as T;
}

async function post(path: string, body: string): Promise<Answer> {
  const response = await fetch(`${esplora.url}${path}`, { method: 'POST', body });
  return { status: response.status, body: await response.text() };
}

/** A new coin of the account, found through the API. */
async function coinOf(sats: number, options: { readonly unconfirmed?: boolean } = {}): Promise<Unspent> {
  const txid = await chain.fund(address, sats);
  if (options.unconfirmed !== true) await chain.mine();
  const coins = await getJson<Unspent[]>(`/address/${address}/utxo`);
  const coin = coins.find((candidate) => candidate.txid === txid);
  if (coin === undefined) throw new Error('the coin is not listed');
  return coin;
}

interface Spent {
  readonly txid: string;
  readonly raw: Uint8Array;
  readonly sats: number;
}

function spend(coins: Unspent | readonly Unspent[], sats: number): Spent {
  const tx = new Transaction();
  for (const { txid, vout: index, value } of [coins].flat()) {
    const witnessUtxo = { script: account.script, amount: BigInt(value) };
    tx.addInput({ txid, index, witnessUtxo, sequence: 0xfffffffd });
  }
  tx.addOutput({ script: account.script, amount: BigInt(sats) });
  tx.sign(privateKey);
  tx.finalize();
  return { txid: tx.id, raw: tx.extract(), sats };
}

const childOf = ({ txid, sats }: Spent, feeSat: number): Spent => spend({ txid, vout: 0, value: sats }, sats - feeSat);

const inMempool = (): readonly string[] =>
  chain
    .mempoolTxs()
    .map((tx) => tx.txid())
    .toSorted();

/** The root that a transaction's proof leads to, as wire-order hex. */
async function merkleRootOf(txid: string): Promise<string> {
  const proof = await getJson<{ merkle: string[]; pos: number }>(`/tx/${txid}/merkle-proof`);
  let node = Buffer.from(txid, 'hex').reverse();
  proof.merkle.forEach((sibling, level) => {
    const other = Buffer.from(sibling, 'hex').reverse();
    node = sha256d(Buffer.concat((proof.pos >> level) & 1 ? [other, node] : [node, other]));
  });
  return node.toString('hex');
}

function merkleRootInHeader(header: string): string {
  return header.slice(72, 136);
}

function sha256d(bytes: Uint8Array): Buffer<ArrayBuffer> {
  const once = createHash('sha256').update(bytes).digest();
  return Buffer.from(createHash('sha256').update(once).digest());
}

function reversed(bytes: Uint8Array): string {
  return Buffer.from(bytes).reverse().toString('hex');
}
