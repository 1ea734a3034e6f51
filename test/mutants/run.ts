import { chooseMutants, describeMutant, ROOMS, type Room, type RoomMutant } from './choice.ts';
import { passesUnchanged, tryMutant } from './trial.ts';

/**
 * Changes the engine's money rooms in one place at a time and looks whether a test notices. `MUTANTS` is how many,
 * `MUTANT_SEED` which ones, `MUTANT_ROOMS` limits the rooms, `MUTANT_WORKERS` is how many at a time.
 */
const count = Number(process.env['MUTANTS'] ?? 200);
const seed = Number(process.env['MUTANT_SEED'] ?? 1);
const workers = Number(process.env['MUTANT_WORKERS'] ?? 2);
const named = process.env['MUTANT_ROOMS']?.split(',') ?? ROOMS;
const rooms = ROOMS.filter((room) => named.includes(room));

const queue = [...chooseMutants(count, seed, rooms)];
const total = queue.length;
const survivors: RoomMutant[] = [];

console.log(`${total} mutants of ${rooms.join(', ')}, seed ${seed}`);
if (process.env['MUTANT_BASELINE'] !== 'no' && !(await passesUnchanged(rooms))) {
  console.error('the tests fail without a mutant');
  process.exit(2);
}
await Promise.all(Array.from({ length: workers }, work));
console.log(`${total} mutants, ${survivors.length} survived`);
process.exitCode = survivors.length === 0 ? 0 : 1;

async function work(): Promise<void> {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const noticedBy = await tryMutant(mutant.room satisfies Room, mutant);
    if (noticedBy === undefined) survivors.push(mutant);
    console.log(`${noticedBy === undefined ? 'SURVIVED' : `killed by ${noticedBy}`}  ${describeMutant(mutant)}`);
  }
}
