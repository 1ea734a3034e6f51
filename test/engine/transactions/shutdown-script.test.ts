import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../worker/engine/primitives/bytes.ts';
import { scriptNumber, script } from '../../../worker/engine/transactions/script.ts';
import { dustLimitSat, isStandardShutdownScript } from '../../../worker/engine/transactions/shutdown-script.ts';

const hash20 = '11'.repeat(20);
const hash32 = '22'.repeat(32);
const bare = { anySegwit: false, simpleClose: false };
const every = { anySegwit: true, simpleClose: true };

describe('shutdown scripts of BOLT 2', () => {
  it.each([
    ['p2pkh', `76a914${hash20}88ac`, 546n],
    ['p2sh', `a914${hash20}87`, 540n],
    ['p2wpkh', `0014${hash20}`, 294n],
    ['p2wsh', `0020${hash32}`, 330n],
  ])('%s needs no feature', (_, hex, dust) => {
    expect(isStandardShutdownScript(fromHex(hex), bare)).toBe(true);
    expect(dustLimitSat(fromHex(hex))).toBe(dust);
  });

  it.each([
    ['taproot', `5120${hash32}`, 330n],
    ['pay to anchor', '51024e73', 240n],
    ['the shortest program', '60024e73', 240n],
    ['the longest program', `5128${'22'.repeat(40)}`, 354n],
    ['OP_RETURN of 6 bytes', '6a06010203040506', 0n],
    ['OP_RETURN of 80 bytes', `6a4c50${'01'.repeat(80)}`, 0n],
  ])('%s needs its feature', (_, hex, dust) => {
    expect(isStandardShutdownScript(fromHex(hex), bare)).toBe(false);
    expect(isStandardShutdownScript(fromHex(hex), every)).toBe(true);
    expect(dustLimitSat(fromHex(hex))).toBe(dust);
  });

  it.each([
    ['nothing', ''],
    ['p2pk', `21${'02'.repeat(33)}ac`],
    ['version 0 of another length', `0021${'00'.repeat(33)}`],
    ['a program of one byte', '510101'],
    ['a program of 41 bytes', `5129${'00'.repeat(41)}`],
    ['OP_RETURN of 5 bytes', '6a050102030405'],
    ['OP_RETURN with two pushes', '6a0601020304050601'],
    ['OP_RETURN of 75 bytes pushed the long way', `6a4c4b${'01'.repeat(75)}`],
    ['OP_RETURN of 81 bytes', `6a4c51${'01'.repeat(81)}`],
  ])('%s is never accepted', (_, hex) => {
    expect(isStandardShutdownScript(fromHex(hex), every)).toBe(false);
  });
});

describe('script numbers', () => {
  it.each([
    [0, '00'],
    [1, '51'],
    [16, '60'],
    [17, '0111'],
    [127, '017f'],
    [128, '028000'],
    [2016, '02e007'],
    [40_000, '03409c00'],
    [800_000, '0300350c'],
    [2 ** 32 - 1, '05ffffffff00'],
  ])('%i', (value, hex) => {
    expect(script(scriptNumber(value))).toEqual(fromHex(hex));
  });
});
