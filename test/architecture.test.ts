import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const worker = join(import.meta.dirname, '../worker');
/** From the top down: a room may import the rooms below it. */
const ROOMS = [
  'manager',
  'channel',
  'monitor',
  'payments',
  'routing',
  'onion',
  'peer',
  'keys',
  'wallet',
  'transactions',
  'wire',
  'primitives',
];

interface Import {
  readonly file: string;
  readonly target: string;
}

describe('the house', () => {
  const engine = importsBelow(join(worker, 'engine'));

  it('has imports to look at', () => expect(engine.length).toBeGreaterThan(200));

  it('lets the engine import nothing from outside', () => {
    expect(engine.filter(({ target }) => target.startsWith('..')).map(describeImport)).toEqual([]);
  });

  it('lets rooms of the engine import only what is below them', () => {
    const upward = engine.filter(({ file, target }) => {
      const [from, to] = [file, target].map((path) => ROOMS.indexOf(path.split('/')[0] ?? ''));
      return from === undefined || to === undefined || from < 0 || to < 0 || to < from;
    });
    expect(upward.map(describeImport)).toEqual([]);
  });

  it('lets the edges import nothing from the client but the types of its API', () => {
    const edges = importsBelow(join(worker, 'edges'));
    expect(edges.filter(({ target }) => target.includes('client/') && !target.endsWith('client/api.ts'))).toEqual([]);
  });
});

function importsBelow(root: string): readonly Import[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/from '(\.[^']+)'/g)].map(([, specifier]) => ({
        file: path,
        target: relative(root, resolve(root, dirname(path), specifier ?? '')),
      })),
    );
}

const describeImport = ({ file, target }: Import): string => `${file} imports ${target}`;
