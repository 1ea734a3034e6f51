import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHAIN_PARAMETERS } from '../../worker/edges/chain/chain-parameters.ts';
import type { BlockHeader } from '../../worker/edges/chain/block-header.ts';
import type { EsploraApi } from '../../worker/edges/chain/esplora-api.ts';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { FakePlatform, type Answer } from '../edges/chain/fake-platform.ts';
import { headersOn, regtestChain } from '../edges/chain/regtest-headers.ts';
import { renewed, withCheckpoint, type KnownBlocks } from './renewal.ts';
import { esploraAt } from '../edges/chain/esplora-at.ts';

const genesis = regtestChain().tip.header;
const main = [genesis, ...headersOn(genesis, 4_400)];
const hashOf = (height: number): string => main[height]?.hash ?? '';
const known: KnownBlocks = {
  checkpoint: { height: 2_015, hash: hashOf(2_015) },
  hashes: Buffer.from(hashOf(2_015).slice(32), 'hex'),
};

function serverOf(headers: readonly BlockHeader[]): EsploraApi {
  const answer = (path: string): Answer => {
    const [, height] = /^\/block-height\/(\d+)$/.exec(path) ?? [];
    if (path === '/blocks/tip/height') return { body: String(headers.length - 1) };
    if (height !== undefined) return { body: headers[Number(height)]?.hash ?? '' };
    return { body: toHex(headers.find(({ hash }) => path.includes(hash))?.raw ?? new Uint8Array(0)) };
  };
  return esploraAt('http://esplora.test', new FakePlatform(answer));
}

describe('the renewal of checkpoints', () => {
  it('adds the periods that have ended and are deep enough', async () => {
    const found = await renewed(known, [serverOf(main), serverOf(main.slice(0, 4_300))]);
    expect(found?.checkpoint).toEqual({ height: 4_031, hash: hashOf(4_031) });
    expect(toHex(found?.hashes ?? new Uint8Array(0))).toBe(hashOf(2_015).slice(32) + hashOf(4_031).slice(32));
    expect(found?.nextBits).toBe(main[4_032]?.bits);
  });

  it('finds nothing where none has, or one server is behind', async () => {
    expect(await renewed(known, [serverOf(main), serverOf(main.slice(0, 4_031 + 144))])).toBeUndefined();
  });

  it('has no list where there was none', async () => {
    const found = await renewed({ ...known, hashes: new Uint8Array(0) }, [serverOf(main), serverOf(main)]);
    expect([found?.checkpoint.height, found?.hashes.length]).toEqual([4_031, 0]);
  });

  it.each([
    ['a period', 3_000],
    ['the checkpoint', 1_000],
    ['the block after the last period', 4_031],
  ])('refuses servers that differ about %s', async (_, fork) => {
    const other = [...main.slice(0, fork + 1), ...headersOn(main[fork] ?? genesis, 4_400 - fork, { salt: 1 })];
    await expect(renewed(known, [serverOf(main), serverOf(other)])).rejects.toThrow(/ or /);
    if (fork < 2_015) await expect(renewed(known, [serverOf(other), serverOf(other)])).rejects.toThrow(/ or /);
  });

  it.each(['bitcoin', 'testnet', 'testnet4', 'signet', 'mutinynet'] as const)(
    'finds its place in the source: %s',
    (network) => {
      const source = readFileSync('worker/edges/chain/chain-parameters.ts', 'utf8');
      const checkpoint = { height: 1_234_567, hash: 'ab'.repeat(32) };
      const changed = withCheckpoint(source, CHAIN_PARAMETERS[network].checkpoint, {
        checkpoint,
        hashes: new Uint8Array(0),
        nextBits: 0x1701_0203,
      });
      expect(changed).toMatch(new RegExp(`height: 1_234_567,\\s+hash: '${checkpoint.hash}'`));
      expect(changed).not.toContain(CHAIN_PARAMETERS[network].checkpoint.hash);
      expect(changed.includes('given: { height: 1_234_568, bits: 0x1701_0203 }')).toBe(network === 'bitcoin');
    },
  );
});
