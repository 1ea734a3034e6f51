import { describe, expect, it } from 'vitest';
import { blocksText } from '../../../src/app/block-time.ts';

describe('how long blocks take', () => {
  it.each([
    [-3, 'about 10 minutes'],
    [1, 'about 10 minutes'],
    [5, 'about 50 minutes'],
    [6, 'about an hour'],
    [12, 'about 2 hours'],
    [144, 'about 24 hours'],
    [216, 'about 2 days'],
    [2016, 'about 14 days'],
  ])('%i of mainnet take %s', (blocks, text) => expect(blocksText(blocks, 'bitcoin')).toBe(text));

  it.each([
    [1, 'about a minute'],
    [12, 'about 6 minutes'],
    [144, 'about an hour'],
    [2016, 'about 17 hours'],
  ])('%i of mutinynet, with one each half minute, take %s', (blocks, text) =>
    expect(blocksText(blocks, 'mutinynet')).toBe(text),
  );

  it('is not known where somebody mines them', () => {
    expect(blocksText(0, 'regtest')).toBe('a block');
    expect(blocksText(144, 'regtest')).toBe('144 blocks');
  });
});
