import { describe, expect, it } from 'vitest';
import { chooseMutants, describeMutant } from './choice.ts';
import { mutated, mutationsOf } from './operators.ts';

const changes = (body: string): readonly string[] => {
  const text = `function f(a: number, b: number): unknown { ${body} }`;
  return mutationsOf(text).map((each) => mutated(text, each).slice(text.indexOf(body), -2));
};

describe('mutations', () => {
  it.each<[string, readonly string[]]>([
    ['g(a);', [';']],
    ['void g(a);', [';']],
    ['return g(a, b);', ['return g(b, a);']],
    ['return equalBytes(a, b);', []],
    ["assert(a, 'b');", []],
    ['return a < b;', ['return a >= b;', 'return a <= b;']],
    ['return a === b;', ['return a !== b;']],
    ['return a + b;', ['return a - b;']],
    ["return 'a' + b;", []],
    ['return a && b;', ['return a || b;']],
    ['return 1000n;', ['return 1001n;']],
    ['return 7;', ['return 8;']],
    ['if (a) return;', ['if (false) return;', 'if (true) return;']],
    ['return a ? b : a;', ['return a ? (a) : (b);']],
    ['return [a, b];', ['return [a];']],
    ['const x: Map<1, 2> = b; return x;', []],
  ])('of %s', (body, expected) => {
    expect(changes(body)).toEqual(expected);
  });

  it('belong to the function that they are written in', () => {
    const text = 'class C { m() { return [1].map((x) => x + 1); } } const arrow = () => 2; const outside = 3;';
    expect([...new Set(mutationsOf(text).map(({ inFunction }) => inFunction))]).toEqual(['m', 'arrow']);
  });
});

describe('a choice of mutants', () => {
  it('is the same for the same seed, and another for another', () => {
    const names = (seed: number): readonly string[] => chooseMutants(50, seed).map(describeMutant);
    expect(names(1)).toEqual(names(1));
    expect(names(1)).not.toEqual(names(2));
    expect(names(1)).toHaveLength(50);
  });

  it('can be limited to files', () => {
    const files = ['worker/engine/monitor/claims/', 'worker/engine/wallet/coin'];
    const chosen = new Set(chooseMutants(1_000, 1, { files }).map(({ file }) => file));
    expect([...chosen].filter((file) => !files.some((each) => file.startsWith(each)))).toEqual([]);
    expect([...chosen]).toEqual(
      expect.arrayContaining(['worker/engine/monitor/claims/claims.ts', 'worker/engine/wallet/coin-selection.ts']),
    );
  });

  it('takes no two of one function while there are others', () => {
    const functions = chooseMutants(200, 3).map(({ file, inFunction }) => `${file} ${inFunction}`);
    expect(new Set(functions).size).toBe(200);
  });
});
