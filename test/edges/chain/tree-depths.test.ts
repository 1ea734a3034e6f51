import { describe, expect, it } from 'vitest';
import { decodeHeader, type BlockHeader } from '../../../worker/edges/chain/block-header.ts';
import { provesInclusion } from '../../../worker/edges/chain/merkle-proof.ts';
import { TreeDepths } from '../../../worker/edges/chain/tree-depths.ts';
import { concat, fromHex, reversed, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { sha256d } from '../../../worker/engine/primitives/hash.ts';
import { encodeTransaction, transactionId, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { FakePlatform, type Answer } from './fake-platform.ts';
import { esploraAt } from './esplora-at.ts';

const display = (hash: Uint8Array): string => toHex(reversed(hash));
const paying = (txid: Uint8Array, script: Uint8Array): Transaction => ({
  version: 2,
  inputs: [{ txid, vout: 0xffff_ffff, sequence: 0, scriptSig: Uint8Array.of(1, 2, 3), witness: [] }],
  outputs: [{ amountSat: 1n, script }],
  locktime: 0,
});
const coinbase = paying(new Uint8Array(32), new Uint8Array(22));
const other = paying(new Uint8Array(32).fill(7), new Uint8Array(22));

/** A block of two leaves. */
function blockOf(first: Uint8Array, second: Uint8Array): BlockHeader {
  const raw = new Uint8Array(80);
  raw.set(sha256d(concat(first, second)), 36);
  const header = decodeHeader(raw);
  if (!header) throw new Error('a header has 80 bytes');
  return header;
}

/** A server that has one block, of which it says what its coinbase is and how that is proven. */
function serverOf(first: Transaction, proof: { readonly merkle: readonly string[]; readonly pos: number }) {
  const txid = display(transactionId(first));
  const platform = new FakePlatform((path): Answer => {
    if (path.endsWith('/txid/0')) return { body: txid };
    if (path === `/tx/${txid}/hex`) return { body: toHex(encodeTransaction(first)) };
    return { body: JSON.stringify({ block_height: 1, ...proof }) };
  });
  return { platform, api: esploraAt('http://esplora.test', platform) };
}

const second = transactionId(other);
const block = blockOf(transactionId(coinbase), second);
const proof = { merkle: [display(second)], pos: 0 };

describe('the depth of a block', () => {
  it('is that of its coinbase, and asked for once', async () => {
    const { api, platform } = serverOf(coinbase, proof);
    const depths = new TreeDepths();
    await expect(Promise.all([depths.depthOf(api, block), depths.depthOf(api, block)])).resolves.toEqual([1, 1]);
    await depths.depthOf(api, block);
    expect(platform.requests.length).toBe(3);
  });

  it.each([
    ['a transaction that is none', other, { merkle: [display(transactionId(coinbase))], pos: 0 }],
    ['a coinbase at another place', coinbase, { merkle: [display(second)], pos: 1 }],
    ['a coinbase of another block', coinbase, { merkle: ['ab'.repeat(32)], pos: 0 }],
    ['a longer proof', coinbase, { merkle: [display(second), 'ab'.repeat(32)], pos: 0 }],
  ])('is not taken from %s, and asked for again', async (_name, first, given) => {
    const depths = new TreeDepths();
    const wrong = serverOf(first, given);
    await expect(depths.depthOf(wrong.api, block)).rejects.toMatchObject({ code: 'ChainSourceBadReply' });
    await expect(depths.depthOf(serverOf(coinbase, proof).api, block)).resolves.toBe(1);
  });
});

it('a transaction of 64 bytes leads to one that is in no block, by a proof that is longer than that of the coinbase', async () => {
  // Its two halves are hashes: of anything, and of a transaction that nobody has put into a block.
  const invented = paying(fromHex('09'.repeat(32)), new Uint8Array(22));
  const halves = concat(new Uint8Array(32).fill(1), transactionId(invented));
  const leaf = sha256d(halves);
  const real = blockOf(transactionId(coinbase), leaf);
  const merkle = ['01'.repeat(32), display(transactionId(coinbase))];
  const longer = { blockHeight: 1, merkle, position: 3 };
  expect(provesInclusion(display(transactionId(invented)), longer, real.merkleRoot)).toBe(true);
  const { api } = serverOf(coinbase, { merkle: [display(leaf)], pos: 0 });
  await expect(new TreeDepths().depthOf(api, real)).resolves.toBe(1);
});
