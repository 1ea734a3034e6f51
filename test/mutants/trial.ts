import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import type { Room } from './choice.ts';
import { MUTANT_VARIABLE, type Mutant } from './plugin.ts';

/** One thing that mutants are tried with, and how long it may take: a mutant that never ends is noticed too. */
export interface Stage {
  readonly name: string;
  readonly paths: (room: Room, file: string) => readonly string[];
  /** Several times what it takes on two cores that both try mutants: what is only slow must not seem noticed. */
  readonly seconds: number;
  readonly env?: Readonly<Record<string, string>>;
}

type Outcome = 'passed' | 'failed' | 'out of time';

/** A minute's worth of random steps, on a machine that does nothing else. */
const SIMULATION = { SIM_STEPS: '50000', WRONG_STEPS: '15000', SIM_SEED: '4242', SIM_SHRINK: 'no' };

/** One process for all files of a stage: nothing but the first failure matters. */
const FLAGS = ['--bail=1', '--silent', '--pool=threads', '--no-isolate'];

export const STAGES: readonly Stage[] = [
  { name: 'its own test', paths: (_room, file) => [ownTest(file)], seconds: 120 },
  { name: 'tests', paths: (room) => [`test/engine/${room}/`], seconds: 240 },
  // Restarts before every block would take as long again, and find what the records' own tests do.
  { name: 'scenes', paths: shortScenes, seconds: 600, env: { SCENE_CASES: 'anchors' } },
  { name: 'tests beside', paths: beside, seconds: 240 },
  { name: 'all scenes', paths: allScenes, seconds: 1200, env: { SCENE_CASES: 'static_remotekey' } },
  { name: 'attacks', paths: () => ['test/adversary/'], seconds: 400 },
  {
    name: 'simulation',
    paths: () => ['test/simulation/simulation.test.ts', 'test/simulation/wrong-peers.test.ts'],
    seconds: 600,
  },
];

const ownTest = (file: string): string => file.replace(/^worker/, 'test').replace(/\.ts$/, '.test.ts');

/** What else tests a room. */
function beside(room: Room): readonly string[] {
  const paths: Partial<Record<Room, readonly string[]>> = {
    payments: ['test/engine/manager/'],
    monitor: ['test/engine/manager/', 'test/simulation/regressions.test.ts'],
    manager: ['test/simulation/regressions.test.ts', 'test/simulation/stale.test.ts'],
    channel: ['test/simulation/regressions.test.ts'],
  };
  return paths[room] ?? [];
}

/** Whose code closes and claims run through. */
const ON_CHAIN: readonly Room[] = ['keys', 'monitor', 'transactions', 'wallet'];

/** What says little of most mutants, or nothing that is not said faster elsewhere. */
const LONG_SCENES = ['books', 'equal-htlcs', 'monitor-alone', 'redelivery', 'time'].map((name) => `${name}.test.ts`);

function allScenes(room: Room): readonly string[] {
  return ON_CHAIN.includes(room) ? ['test/onchain/'] : [];
}

function shortScenes(room: Room): readonly string[] {
  return allScenes(room).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.test.ts') && !LONG_SCENES.includes(name))
      .map((name) => `${folder}${name}`),
  );
}

/** The stage that noticed a mutant; `undefined` where it survived all of them. */
export async function tryMutant(stages: readonly Stage[], room: Room, mutant: Mutant): Promise<string | undefined> {
  for (const stage of stages) {
    const outcome = await outcomeOf(stage, room, mutant);
    if (outcome !== 'passed') return outcome === 'failed' ? stage.name : `${stage.name}, ${outcome}`;
  }
  return undefined;
}

/** Whether everything passes without a mutant: otherwise nothing that fails says anything. */
export async function passesUnchanged(stages: readonly Stage[], rooms: readonly Room[]): Promise<boolean> {
  for (const stage of stages) for (const room of rooms) if ((await outcomeOf(stage, room)) !== 'passed') return false;
  return true;
}

function outcomeOf({ paths, seconds, env }: Stage, room: Room, mutant?: Mutant): Promise<Outcome> {
  const files = paths(room, mutant?.file ?? '').filter((path) => path !== '' && existsSync(path));
  if (files.length === 0) return Promise.resolve('passed');
  const given = mutant === undefined ? {} : { [MUTANT_VARIABLE]: JSON.stringify(mutant) };
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...files, ...FLAGS], {
    env: { ...process.env, ...SIMULATION, ...env, ...given },
    stdio: 'ignore',
    detached: true,
  });
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve('out of time');
      endGroup(child.pid);
    }, seconds * 1000);
    child.on('exit', (code) => {
      clearTimeout(timer);
      resolve(code === 0 ? 'passed' : 'failed');
    });
  });
}

/** The test run has workers of its own. */
function endGroup(pid: number | undefined): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}
