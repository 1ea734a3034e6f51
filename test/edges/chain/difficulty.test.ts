import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  decodeHeader,
  hasProofOfWork,
  headerOfFields,
  targetOfBits,
} from '../../../worker/edges/chain/block-header.ts';
import type { BlockHeader } from '../../../worker/edges/chain/block-header.ts';
import { CHAIN_PARAMETERS } from '../../../worker/edges/chain/chain-parameters.ts';
import { checkpointHashes } from '../../../worker/edges/chain/checkpoints.ts';
import { bitsOfTarget, brokenRule } from '../../../worker/edges/chain/difficulty.ts';
import { HeaderChain } from '../../../worker/edges/chain/header-chain.ts';
import { reversed, toHex } from '../../../worker/engine/primitives/bytes.ts';

const read = (name: string): Buffer => readFileSync(join(import.meta.dirname, '../../vectors', name));

/** Blocks of a real chain by height: 4 bytes of height and 80 of header each. */
function blocksOf(network: string): ReadonlyMap<number, BlockHeader> {
  const bytes = read(`headers-${network}.bin`);
  const found = Array.from({ length: bytes.length / 84 }, (_, index): [number, BlockHeader | undefined] => {
    const raw = Uint8Array.from(bytes.subarray(index * 84 + 4, (index + 1) * 84));
    return [bytes.readUInt32BE(index * 84), decodeHeader(raw)];
  });
  return new Map(found.flatMap(([height, header]) => (header ? [[height, header]] : [])));
}

/** The first 4,033 blocks of the main chain: all of each header but the hash of the one before. */
function firstBlocks(): BlockHeader[] {
  const bytes = read('headers-bitcoin.bin');
  const headers: BlockHeader[] = [];
  for (let at = 0; at < bytes.length; at += 48) {
    const header = headerOfFields({
      hash: '',
      height: headers.length,
      version: bytes.readInt32LE(at),
      previousHash: headers.at(-1)?.hash ?? '00'.repeat(32),
      merkleRoot: toHex(reversed(Uint8Array.from(bytes.subarray(at + 4, at + 36)))),
      time: bytes.readUInt32LE(at + 36),
      bits: bytes.readUInt32LE(at + 40),
      nonce: bytes.readUInt32LE(at + 44),
    });
    headers.push(header);
  }
  return headers;
}

const { bitcoin, testnet, testnet4, signet, regtest } = CHAIN_PARAMETERS;

describe('the targets and times of real blocks', () => {
  it.each([
    ['bitcoin-retargets', bitcoin.rules, 413],
    ['testnet', testnet.rules, 216],
    ['testnet4', testnet4.rules, 36],
    ['signet', signet.rules, 143],
  ])('are by the rules, and would not be with another target: %s', (name, rules, count) => {
    const blocks = blocksOf(name);
    const at = (height: number): BlockHeader | undefined => blocks.get(height);
    const known = [...blocks].filter(([height]) => at(height - 1) !== undefined);
    expect(known.length).toBe(count);
    for (const [height, header] of known) {
      expect(hasProofOfWork(header)).toBe(true);
      expect([height, brokenRule(rules, height, header, at)]).toEqual([height, undefined]);
      for (const step of [1, -1])
        expect(brokenRule(rules, height, { ...header, bits: header.bits + step }, at)).toMatch(/target/);
    }
  });

  it('of the main chain make a chain, whose headers none may be missing from', () => {
    const [genesis, ...rest] = firstBlocks();
    if (!genesis) throw new Error('the file has blocks');
    const chain = HeaderChain.from(bitcoin.rules, { height: 0, headers: [genesis.raw] });
    expect(chain.extend(0, rest).tip).toEqual({ height: 4032, header: rest.at(-1) });
    expect(() => chain.extend(0, rest.toSpliced(1000, 1))).toThrow(/block 1001 .* does not link/);
  });

  it('on testnet, of blocks that come late, are the easiest ones, and right after them the real ones again', () => {
    const blocks = blocksOf('testnet');
    const bits = (height: number): number | undefined => blocks.get(height)?.bits;
    expect([4032, 4033, 4208, 4209].map(bits)).toEqual([0x1c3fffc0, 0x1d00ffff, 0x1d00ffff, 0x1c3fffc0]);
    const late = blocks.get(4033);
    const broken = brokenRule(
      testnet.rules,
      4033,
      { time: (blocks.get(4032)?.time ?? 0) + 1200, bits: late?.bits ?? 0 },
      (height) => blocks.get(height),
    );
    expect(broken).toMatch(/another target/);
  });

  it('on testnet 4 go on after a stretch of the easiest ones, over the end of a period and with a clock that is put back', () => {
    const blocks = blocksOf('testnet4');
    const stretch = Array.from({ length: 29 }, (_, index) => blocks.get(145_132 + index));
    const isEasy = stretch.map((header) => header?.bits === 0x1d00ffff);
    // A new target comes from that of the first block of a period (BIP 94), whatever the last ones had.
    expect(isEasy.flatMap((easy, index) => (easy ? [] : [145_132 + index]))).toEqual([
      145_132, 145_151, 145_152, 145_156,
    ]);
    expect(stretch.slice(-10, -8).map((header) => header?.bits)).toEqual([0x190228f4, 0x190274df]);
    expect(stretch.filter((header, index) => (header?.time ?? 0) < (stretch[index - 1]?.time ?? 0))).toHaveLength(2);
  });
});

describe('the checkpoints of a network', () => {
  it.each(['bitcoin', 'testnet', 'testnet4', 'signet'] as const)(
    'end with the one in the program: %s',
    async (network) => {
      const hashes = await checkpointHashes(network);
      const { height, hash } = CHAIN_PARAMETERS[network].checkpoint;
      expect((hashes.length / 16) * 2016 - 1).toBe(height);
      expect(toHex(hashes.subarray(-16))).toBe(hash.slice(32));
    },
  );

  it.each([
    ['bitcoin', 'bitcoin-retargets', 413],
    ['testnet', 'testnet', 3],
    ['signet', 'signet', 1],
  ] as const)('are blocks of its chain: %s', async (network, name, count) => {
    const hashes = await checkpointHashes(network);
    const last = [...blocksOf(name)].filter(([height]) => height % 2016 === 2015);
    expect(last.length).toBe(count);
    for (const [height, header] of last) {
      const at = ((height + 1) / 2016 - 1) * 16;
      expect(toHex(hashes.subarray(at, at + 16))).toBe(header.hash.slice(32));
    }
  });
});

describe('the rules of difficulty', () => {
  const START = 1_700_000_000;
  const REAL = 0x1c3fffc0;
  /** Blocks ten minutes apart, with the targets given by height and `REAL` elsewhere. */
  const chain =
    (bits: Readonly<Record<number, number>> = {}, times: Readonly<Record<number, number>> = {}) =>
    (height: number): { readonly time: number; readonly bits: number } | undefined =>
      height < 0 ? undefined : { time: times[height] ?? START + height * 600, bits: bits[height] ?? REAL };
  const EASY = 0x1d00ffff;
  const at = chain();
  const timely = (height: number): number => START + height * 600;

  it.each([
    ['a quarter of the time', 302_400, 0x1c0ffff0],
    ['less than a quarter', 1, 0x1c0ffff0],
    ['four times the time', 4_838_400, 0x1d00ffff],
    ['more than four times', 9_999_999, 0x1d00ffff],
    ['half of the time', 604_800, 0x1c1fffe0],
  ])('set the target anew by the time of a period: %s', (_name, seconds, bits) => {
    const of = chain({}, { 0: START, 2015: START + seconds });
    const time = START + Math.max(seconds, timely(2014) - START) + 1;
    expect(brokenRule(bitcoin.rules, 2016, { time, bits }, of)).toBeUndefined();
    expect(brokenRule(bitcoin.rules, 2016, { time, bits: bits - 1 }, of)).toMatch(/another target/);
  });

  it('start from the first block of a period on testnet 4, and from the last one on testnet 3', () => {
    const of = chain({ 2015: EASY });
    const [time, first, last] = [timely(2016), bitsAfter(REAL), EASY];
    expect(brokenRule(testnet4.rules, 2016, { time, bits: first }, of)).toBeUndefined();
    expect(brokenRule(testnet.rules, 2016, { time, bits: bitsAfter(last) }, of)).toBeUndefined();
    expect(brokenRule(testnet4.rules, 2016, { time, bits: bitsAfter(last) }, of)).toMatch(/another target/);
  });

  /** After a period of the right length, whose first and last block are 2,015 intervals apart. */
  function bitsAfter(bits: number): number {
    return bitsOfTarget(((targetOfBits(bits) ?? 0n) * (2015n * 600n)) / 1_209_600n);
  }

  it('let no period of testnet 4 begin before the last one has ended', () => {
    const bits = bitsAfter(REAL);
    const of = chain({}, { 2015: timely(2015) + 50_000 });
    const allowed = bitsOfTarget(((targetOfBits(REAL) ?? 0n) * (2015n * 600n + 50_000n)) / 1_209_600n);
    const time = timely(2015) + 50_000 - 600;
    expect(brokenRule(testnet4.rules, 2016, { time, bits: allowed }, of)).toBeUndefined();
    expect(brokenRule(testnet4.rules, 2016, { time: time - 1, bits: allowed }, of)).toMatch(/last period/);
    expect(brokenRule(testnet.rules, 2016, { time: time - 1, bits: allowed }, of)).toBeUndefined();
    expect(brokenRule(testnet4.rules, 2016, { time, bits }, of)).toMatch(/another target/);
  });

  it('let a block be after the median of eleven only', () => {
    const median = timely(100 - 6);
    expect(brokenRule(bitcoin.rules, 100, { time: median + 1, bits: REAL }, at)).toBeUndefined();
    expect(brokenRule(bitcoin.rules, 100, { time: median, bits: REAL }, at)).toMatch(/median/);
    expect(brokenRule(bitcoin.rules, 1, { time: START, bits: REAL }, at)).toMatch(/median/);
  });

  it('are not asked where they need blocks that are not known, except for the easiest target', () => {
    const of = (height: number): ReturnType<typeof at> => (height < 2015 ? undefined : at(height));
    expect(brokenRule(signet.rules, 2016, { time: 1, bits: 0x1c123456 }, of)).toBeUndefined();
    expect(brokenRule(signet.rules, 2016, { time: 1, bits: 0x1e0377af }, of)).toMatch(/too easy/);
    expect(brokenRule(bitcoin.rules, 2017, { time: 1, bits: EASY }, of)).toMatch(/another target/);
  });

  it('give the main chain the target after its checkpoint, and test networks what is within their limit', () => {
    const { height } = bitcoin.checkpoint;
    const of = (at: number): { readonly time: number; readonly bits: number } | undefined =>
      at === height ? { time: START, bits: 0x1702_40c3 } : undefined;
    const next = { time: START + 600, bits: 0x1702_40c3 };
    expect(brokenRule(bitcoin.rules, height + 1, next, of)).toBeUndefined();
    expect(brokenRule(bitcoin.rules, height + 1, { ...next, bits: EASY }, of)).toMatch(/another target/);
  });

  it('never change the target of regtest', () => {
    const of = chain({ 2015: 0x207fffff, 2016: 0x207fffff });
    expect(brokenRule(regtest.rules, 2016, { time: timely(2016), bits: 0x207fffff }, of)).toBeUndefined();
    expect(brokenRule(regtest.rules, 2016, { time: timely(2016), bits: 0x207ffffe }, of)).toMatch(/another target/);
  });

  it('let testnet 4 have the easiest target after twenty minutes, but not in the first block of a period', () => {
    const late = { time: timely(99) + 1201, bits: EASY };
    expect(brokenRule(testnet4.rules, 100, late, at)).toBeUndefined();
    expect(brokenRule(testnet4.rules, 100, { ...late, bits: REAL }, at)).toMatch(/another target/);
    expect(brokenRule(testnet4.rules, 100, { ...late, time: late.time - 1 }, at)).toMatch(/another target/);
    expect(brokenRule(testnet4.rules, 2016, { time: timely(2015) + 1201, bits: EASY }, at)).toMatch(/another target/);
  });
});
