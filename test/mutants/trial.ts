import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Room } from './choice.ts';
import { MUTANT_VARIABLE, type Mutant } from './plugin.ts';

/** One thing that mutants are tried with, and how long it may take: a mutant that never ends is noticed too. */
interface Stage {
  readonly name: string;
  readonly paths: (room: Room, file: string) => readonly string[];
  readonly seconds: number;
}

/** A minute's worth of random steps, on a machine that does nothing else. */
const SIMULATION = { SIM_STEPS: '50000', WRONG_STEPS: '15000', SIM_SEED: '4242', SIM_SHRINK: 'no' };

/** One process for all files of a stage: nothing but the first failure matters. */
const FLAGS = ['--bail=1', '--silent', '--pool=threads', '--no-isolate'];

const STAGES: readonly Stage[] = [
  { name: 'its own test', paths: (_room, file) => [ownTest(file)], seconds: 120 },
  { name: 'tests', paths: (room) => [`test/engine/${room}/`, ...more(room)], seconds: 240 },
  { name: 'attacks', paths: () => ['test/adversary/'], seconds: 400 },
  {
    name: 'simulation',
    paths: () => ['test/simulation/simulation.test.ts', 'test/simulation/wrong-peers.test.ts'],
    seconds: 600,
  },
];

const ownTest = (file: string): string => file.replace(/^worker/, 'test').replace(/\.ts$/, '.test.ts');

/** What else tests a room. */
function more(room: Room): readonly string[] {
  const beside: Partial<Record<Room, readonly string[]>> = {
    payments: ['test/engine/manager/'],
    monitor: ['test/engine/manager/', 'test/onchain/', 'test/simulation/regressions.test.ts'],
    manager: ['test/simulation/regressions.test.ts', 'test/simulation/stale.test.ts'],
    channel: ['test/simulation/regressions.test.ts'],
  };
  return beside[room] ?? [];
}

/** The stage that noticed a mutant; `undefined` where it survived all of them. */
export async function tryMutant(room: Room, mutant: Mutant): Promise<string | undefined> {
  for (const stage of STAGES) if (!(await passes(stage, room, mutant))) return stage.name;
  return undefined;
}

/** Whether everything passes without a mutant: otherwise nothing that fails says anything. */
export async function passesUnchanged(rooms: readonly Room[]): Promise<boolean> {
  for (const stage of STAGES) for (const room of rooms) if (!(await passes(stage, room))) return false;
  return true;
}

function passes({ paths, seconds }: Stage, room: Room, mutant?: Mutant): Promise<boolean> {
  const files = paths(room, mutant?.file ?? '').filter((path) => path !== '' && existsSync(path));
  if (files.length === 0) return Promise.resolve(true);
  const given = mutant === undefined ? {} : { [MUTANT_VARIABLE]: JSON.stringify(mutant) };
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...files, ...FLAGS], {
    env: { ...process.env, ...SIMULATION, ...given },
    stdio: 'ignore',
    detached: true,
  });
  return new Promise((resolve) => {
    const timer = setTimeout(() => endGroup(child.pid), seconds * 1000);
    child.on('exit', (code) => {
      clearTimeout(timer);
      resolve(code === 0);
    });
  });
}

/** The test run has workers of its own. */
function endGroup(pid: number | undefined): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}
