import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Plugin } from 'vite';
import { mutated, type Mutation } from './operators.ts';

/** A mutation and the file that it is in, relative to the project. */
export interface Mutant extends Mutation {
  readonly file: string;
}

/** The variable by which a test run is told to run with a mutant, as JSON. */
export const MUTANT_VARIABLE = 'MUTANT';

/** Loads one file with a mutation instead of as it is; the files themselves are never changed. */
export function mutantPlugin(): Plugin[] {
  const given = process.env[MUTANT_VARIABLE];
  if (given === undefined) return [];
  const mutant = JSON.parse(given) as Mutant;
  return [
    {
      name: 'mutant',
      enforce: 'pre',
      load(id) {
        const path = relative(process.cwd(), id.split('?')[0] ?? id);
        return path === mutant.file ? mutated(readFileSync(path, 'utf8'), mutant) : undefined;
      },
    },
  ];
}
