import { describe, expect, it } from 'vitest';
import funding from '../../vectors/bolt03-funding-tx.json' with { type: 'json' };
import {
  decodeHeader,
  hasProofOfWork,
  targetOfBits,
  type BlockHeader,
} from '../../../worker/edges/chain/block-header.ts';
import { CHAIN_PARAMETERS } from '../../../worker/edges/chain/chain-parameters.ts';
import { HeaderChain } from '../../../worker/edges/chain/header-chain.ts';
import { fromHex } from '../../../worker/engine/primitives/bytes.ts';
import { headerOn, headersOn, regtestChain, REGTEST_BITS } from './regtest-headers.ts';

/** The second block of the main chain. */
const first = fromHex(
  '010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299',
);
const genesis = regtestChain().tip.header;
const start = headerOn(genesis);
const chain = regtestChain(start.raw, 100);
const invalid = (why: string): unknown =>
  expect.objectContaining({ code: 'HeadersInvalid', message: expect.stringContaining(why) });

describe('headers', () => {
  it('are read as the main chain has them', () => {
    const header = decodeHeader(first);
    expect(header?.hash).toBe('00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048');
    expect(header?.previousHash).toBe('000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f');
    expect(header && hasProofOfWork(header)).toBe(true);
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
  const five = headersOn(start, 5);
  const longer = chain.extend(100, five);
  const fork = five[2] ?? start;

  it('grows, and is the same after a restart', () => {
    expect([longer.tip, longer.lowest]).toEqual([{ height: 105, header: five[4] }, 100]);
    expect(chain.tip.height).toBe(100);
    const again = HeaderChain.from(CHAIN_PARAMETERS.regtest.rules, structuredClone(longer.state));
    expect([again.tip, again.forkWith(longer)]).toEqual([longer.tip, 105]);
    expect([again.has(103, fork.hash), again.has(104, fork.hash), again.at(99)]).toEqual([true, false, undefined]);
  });

  it.each([
    ['more', 3, true],
    ['as much', 2, false],
    ['less', 1, false],
  ])('has a branch of %s work take its place: %i blocks, %s', (_name, count, takesPlace) => {
    const branch = longer.extend(103, headersOn(fork, count, { salt: 1 }));
    expect(branch.isHeavierThan(longer)).toBe(takesPlace);
    expect(longer.isHeavierThan(branch)).toBe(count < 2);
    expect([branch.forkWith(longer), longer.forkWith(branch)]).toEqual([103, 103]);
    expect([branch.tip.height, branch.at(104)?.merkleRoot.slice(0, 2)]).toEqual([103 + count, '01']);
  });

  it('counts work by the targets, not by the number of blocks', () => {
    const harder = { bits: 0x203fffff };
    const rules = { kind: 'testnet3', limitBits: REGTEST_BITS, spacingSeconds: 600 } as const;
    const testnet = HeaderChain.from(rules, { height: 100, headers: [start.raw] });
    const easy = testnet.extend(100, headersOn(start, 3));
    const hard = testnet.extend(100, headersOn(start, 2, harder).slice(0, 1));
    expect([easy.isHeavierThan(hard), hard.isHeavierThan(easy)]).toEqual([true, false]);
    expect(testnet.extend(100, headersOn(start, 1)).isHeavierThan(hard)).toBe(false);
    expect(hard.isHeavierThan(testnet.extend(100, headersOn(start, 1)))).toBe(true);
  });

  it('has nothing in common with a chain that shares no block', () => {
    const other = regtestChain(headerOn(genesis, { salt: 9 }).raw, 100);
    expect([longer.forkWith(other), other.forkWith(longer)]).toEqual([undefined, undefined]);
    expect(longer.forkWith(regtestChain(start.raw, 101))).toBeUndefined();
  });

  it('ends at a height below its tip, or with its first block', () => {
    expect([longer.upTo(102).tip.height, longer.upTo(105), longer.upTo(200)]).toEqual([102, longer, longer]);
    expect(longer.upTo(3).tip).toEqual(chain.tip);
  });

  it('refuses a fork below what it knows, or above', () => {
    expect(() => longer.extend(99, [])).toThrow(invalid('below the oldest'));
    expect(() => longer.extend(106, [])).toThrow(invalid('below the oldest'));
  });

  it.each([
    ['does not link', headerOn(fork)],
    ['no proof of work', headerOn(start, { unproven: true })],
    ['another target', headerOn(start, { bits: 0x207ffffe })],
  ])('refuses a header that has a fault: %s', (why, header) => {
    expect(() => chain.extend(100, [header])).toThrow(invalid(why));
    expect(() => chain.extend(100, [headerOn(start), headerOn(header)])).toThrow(invalid('does not link'));
  });

  it('refuses a header whose time is not after the median of those before it', () => {
    const eleven = chain.extend(100, headersOn(start, 10));
    const time = eleven.at(105)?.time ?? 0;
    const on = (seconds: number): BlockHeader => headerOn(eleven.tip.header, { time: seconds });
    expect(eleven.extend(110, [on(time + 1)]).tip.height).toBe(111);
    expect(() => eleven.extend(110, [on(time)])).toThrow(invalid('median'));
  });
});
