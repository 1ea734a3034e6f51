import { describe, expect, it } from 'vitest';
import funding from '../../vectors/bolt03-funding-tx.json' with { type: 'json' };
import {
  decodeHeader,
  hasProofOfWork,
  targetOfBits,
  type BlockHeader,
} from '../../../worker/edges/chain/block-header.ts';
import { HeaderChain } from '../../../worker/edges/chain/header-chain.ts';
import { concat, fromHex, reversed } from '../../../worker/engine/primitives/bytes.ts';

/** Of the first blocks of the main chain. */
const genesis = fromHex(
  '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c',
);
const first = fromHex(
  '010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299',
);
const REGTEST_BITS = 0x207fffff;

/** A header on top of another; `valid` false grinds for one without proof of work. */
function next(previous: BlockHeader, { bits = REGTEST_BITS, salt = 0, valid = true } = {}): BlockHeader {
  for (let nonce = 0; ; nonce++) {
    const back = new Uint8Array(12);
    new DataView(back.buffer).setUint32(4, bits, true);
    new DataView(back.buffer).setUint32(8, nonce, true);
    const root = new Uint8Array(32).fill(salt);
    const header = decodeHeader(concat(new Uint8Array(4), reversed(fromHex(previous.hash)), root, back));
    if (header && hasProofOfWork(header) === valid) return header;
  }
}

function chainOf(parent: BlockHeader, length: number, salt = 0): BlockHeader[] {
  const headers: BlockHeader[] = [];
  for (let at = parent; headers.length < length;) headers.push((at = next(at, { salt })));
  return headers;
}

const zero: BlockHeader = {
  raw: new Uint8Array(0),
  hash: '00'.repeat(32),
  previousHash: '',
  merkleRoot: '',
  time: 0,
  bits: REGTEST_BITS,
};
const start = next(zero);
const chain = HeaderChain.from('regtest', { height: 100, header: start.raw });
const invalid = (why: string): unknown =>
  expect.objectContaining({ code: 'HeadersInvalid', message: expect.stringContaining(why) });

describe('headers', () => {
  it('are read as the main chain has them', () => {
    const header = decodeHeader(first);
    expect(header?.hash).toBe('00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048');
    expect(header?.previousHash).toBe('000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f');
    expect(header && hasProofOfWork(header)).toBe(true);
    const { tip } = HeaderChain.from('bitcoin', { height: 0, headers: [genesis, first] });
    expect([tip.height, tip.header.hash]).toEqual([1, header?.hash]);
  });

  it('have 80 bytes', () => {
    expect(decodeHeader(first.slice(1))).toBeUndefined();
    expect(decodeHeader(fromHex(funding.block1_coinbase_tx_hex))).toBeUndefined();
  });

  it.each([
    [0x1d00ffff, 0xffffn << 208n],
    [0x207fffff, 0x7fffffn << 232n],
    [0x03123456, 0x123456n],
    [0x01120000, 0x12n],
  ])('have a target by their bits %i', (bits, target) => {
    expect(targetOfBits(bits)).toBe(target);
  });

  it.each([0x1d800001, 0x1d000000, 0xff123456])('have no target by bits %i', (bits) => {
    expect(targetOfBits(bits)).toBeUndefined();
  });
});

describe('HeaderChain', () => {
  it('grows, and is the same after a restart', () => {
    const longer = chain.extend(100, chainOf(start, 5));
    expect([longer.tip.height, longer.lowest]).toEqual([105, 100]);
    expect(chain.tip.height).toBe(100);
    const again = HeaderChain.from('regtest', structuredClone(longer.state));
    expect(again.tip).toEqual(longer.tip);
    expect(again.has(103, longer.at(103)?.hash ?? '')).toBe(true);
  });

  it('changes to a branch with more work', () => {
    const old = chain.extend(100, chainOf(start, 5));
    const fork = old.at(103) ?? start;
    const branch = chainOf(fork, 3, 1);
    const changed = old.extend(103, branch);
    expect(changed.tip).toEqual({ height: 106, header: branch[2] });
    expect(changed.has(104, old.at(104)?.hash ?? '')).toBe(false);
  });

  it('refuses a branch with less work, and a fork below what it knows', () => {
    const old = chain.extend(100, chainOf(start, 5));
    expect(() => old.extend(103, chainOf(old.at(103) ?? start, 1, 1))).toThrow(invalid('less work'));
    expect(() => old.extend(99, [])).toThrow(invalid('below the oldest'));
    expect(() => old.extend(106, [])).toThrow(invalid('below the oldest'));
  });

  it('refuses a header that does not link, that has no work, or whose target is too easy', () => {
    const [one, two] = chainOf(start, 2);
    expect(() => chain.extend(100, two ? [two] : [])).toThrow(invalid('does not link'));
    expect(() => chain.extend(100, [next(start, { valid: false })])).toThrow(invalid('no proof of work'));
    expect(() => chain.extend(100, [next(start, { bits: 0x2070ffff })])).toThrow(invalid('too easy'));
    expect(one && chain.extend(100, [one]).tip.height).toBe(101);
  });

  it('keeps the newest only', () => {
    const long = chain.extend(100, chainOf(start, 2020));
    expect([long.tip.height, long.lowest]).toEqual([2120, 105]);
  });
});
