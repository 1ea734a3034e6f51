import { chooseMutants, describeMutant, ROOMS, type RoomMutant } from './choice.ts';
import { passesUnchanged, STAGES, tryMutant } from './trial.ts';

/**
 * Changes the engine's money rooms in one place at a time and looks whether a test notices. `MUTANTS` is how many,
 * `MUTANT_SEED` which ones, `MUTANT_ROOMS` limits the rooms, `MUTANT_FILES` the files by how their paths begin
 * (`worker/engine/monitor/claims/`), `MUTANT_STAGES` what they are tried with, `MUTANT_WORKERS` is how many at a time.
 */
const count = Number(process.env['MUTANTS'] ?? 200);
const seed = Number(process.env['MUTANT_SEED'] ?? 1);
const workers = Number(process.env['MUTANT_WORKERS'] ?? 2);
const listed = (variable: string): readonly string[] | undefined => process.env[variable]?.split(',');
const among = <T extends string>(all: readonly T[], names: readonly string[] = all): readonly T[] =>
  all.filter((each) => names.includes(each));
const stages = STAGES.filter(({ name }) => listed('MUTANT_STAGES')?.includes(name) ?? true);

const chosen = chooseMutants(count, seed, {
  rooms: among(ROOMS, listed('MUTANT_ROOMS')),
  files: listed('MUTANT_FILES') ?? [''],
});
const rooms = [...new Set(chosen.map(({ room }) => room))];
const queue = [...chosen];
const total = queue.length;
const survivors: RoomMutant[] = [];

console.log(`${total} mutants of ${rooms.join(', ')}, seed ${seed}`);
if (process.env['MUTANT_BASELINE'] !== 'no' && !(await passesUnchanged(stages, rooms))) {
  console.error('the tests fail without a mutant');
  process.exit(2);
}
await Promise.all(Array.from({ length: workers }, work));
console.log(`${total} mutants, ${survivors.length} survived`);
process.exitCode = survivors.length === 0 ? 0 : 1;

async function work(): Promise<void> {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const noticedBy = await tryMutant(stages, mutant.room, mutant);
    if (noticedBy === undefined) survivors.push(mutant);
    console.log(`${noticedBy === undefined ? 'SURVIVED' : `killed by ${noticedBy}`}  ${describeMutant(mutant)}`);
  }
}
