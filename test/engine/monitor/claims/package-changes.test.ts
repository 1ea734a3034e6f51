import { expect, it } from 'vitest';
import type { ClaimPackage } from '../../../../worker/engine/monitor/claims/claim-package.ts';
import { changedPackages, packageChanges } from '../../../../worker/engine/monitor/claims/package-changes.ts';

const packageOf = (vout: number, feeratePerKw = 1_000): ClaimPackage => ({
  outpoints: [
    { txid: new Uint8Array(32).fill(1), vout },
    { txid: new Uint8Array(32).fill(1), vout: vout + 100 },
  ],
  tx: { version: 2, inputs: [], outputs: [], locktime: 0 },
  feeratePerKw,
  height: 10,
  since: 10,
});

const [A, B, C] = [packageOf(1), packageOf(2), packageOf(3)];

it('no changes are none', () => {
  expect(packageChanges([A, B], [A, B])).toBeUndefined();
  expect(packageChanges([], [])).toBeUndefined();
});

it.each([
  ['one is over', [A, B], [B], 1, 0],
  ['one is new', [A], [A, B], 0, 1],
  ['one was made again', [A, B], [packageOf(1, 2_000), B], 0, 1],
  ['all of these', [A, B], [packageOf(2, 2_000), C], 1, 2],
])('%s: what changed leads from one to the other', (_name, before, after, over, made) => {
  const changes = packageChanges(before, after);
  expect([changes?.over.length, changes?.made.length]).toEqual([over, made]);
  expect(changes && changedPackages(before, changes)).toEqual(after);
});
