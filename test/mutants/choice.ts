import { readdirSync, readFileSync } from 'node:fs';
import { Random } from '../browser/random.ts';
import { EQUIVALENT } from './equivalent.ts';
import { mutationsOf } from './operators.ts';
import type { Mutant } from './plugin.ts';

/** The rooms in which a wrong line can cost money. */
export const ROOMS = [
  'channel',
  'keys',
  'manager',
  'monitor',
  'payments',
  'routing',
  'transactions',
  'wallet',
] as const;

export type Room = (typeof ROOMS)[number];

/** A mutant with the room whose tests have to notice it. */
export interface RoomMutant extends Mutant {
  readonly room: Room;
}

/** Where mutants are looked for. */
export interface Choice {
  readonly rooms?: readonly Room[];
  /** How the paths of the files begin. */
  readonly files?: readonly string[];
}

/**
 * At least `count` mutants of the rooms, no two of one function before every function has one; the same for the same seed.
 * Those that are known to behave like the original are left out.
 */
export function chooseMutants(
  count: number,
  seed: number,
  { rooms = ROOMS, files = [''] }: Choice = {},
): readonly RoomMutant[] {
  const random = new Random(seed);
  const functions = new Map<string, RoomMutant[]>();
  for (const mutant of rooms.flatMap((room) => mutantsOfRoom(room, files))) {
    const name = `${mutant.file} ${mutant.inFunction}`;
    functions.set(name, [...(functions.get(name) ?? []), mutant]);
  }
  const queues = shuffled([...functions.values()], random).map((each) => shuffled(each, random));
  const chosen: RoomMutant[] = [];
  for (let round = 0; chosen.length < count; round++) {
    const next = queues.flatMap((queue) => queue[round] ?? []);
    if (next.length === 0) break;
    chosen.push(...next.slice(0, count - chosen.length));
  }
  return chosen;
}

/** How a mutant is named in reports, and in the list of the equivalent ones. */
export function describeMutant({ file, start, end, operator, replacement }: Mutant): string {
  const text = readFileSync(file, 'utf8');
  const line = text.slice(0, start).split('\n').length;
  const original = text.slice(start, end).replaceAll(/\s+/g, ' ');
  return `${file}:${line} ${operator}: ${original} → ${replacement.replaceAll(/\s+/g, ' ')}`;
}

function mutantsOfRoom(room: Room, files: readonly string[]): readonly RoomMutant[] {
  const folder = `worker/engine/${room}`;
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name}`)
    .filter((file) => file.endsWith('.ts') && files.some((each) => file.startsWith(each)))
    .flatMap((file) => mutationsOf(readFileSync(file, 'utf8')).map((mutation) => ({ ...mutation, file, room })))
    .filter((mutant) => !isEquivalent(mutant));
}

function isEquivalent({ file, start, end, replacement, inFunction }: Mutant): boolean {
  const original = readFileSync(file, 'utf8').slice(start, end);
  return EQUIVALENT.some(
    (each) =>
      file.endsWith(each.file) &&
      each.inFunction === inFunction &&
      each.original === original &&
      (each.replacement === undefined || each.replacement === replacement),
  );
}

function shuffled<T>(list: readonly T[], random: Random): readonly T[] {
  const left = [...list];
  return list.flatMap(() => left.splice(random.below(left.length), 1));
}
