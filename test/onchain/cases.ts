import { afterAll, beforeAll } from 'vitest';
import { RegtestChain } from '../world/chain.ts';
import { Scene, type Format, type SceneOptions } from './scene.ts';

const named = process.env['SCENE_CASES']?.split(',');

/** Each scenario with each format, and again with a restart before every block; `SCENE_CASES` limits them by their names. */
export const CASES = (['anchors', 'static_remotekey'] as const satisfies readonly Format[])
  .flatMap((format) => [
    { name: format, format, restarts: false },
    { name: `${format} and a restart before every block`, format, restarts: true },
  ])
  .filter(({ name }) => named?.includes(name) ?? true);

/** As `CASES`, with the commitment of either side. */
export const CLOSES = CASES.flatMap((each) => [
  { ...each, closer: 'us' as const },
  { ...each, closer: 'them' as const },
]);

type Begin = (each: { readonly format: Format; readonly restarts?: boolean }, options?: SceneOptions) => Promise<Scene>;

/** What begins the scenes of a test file, one after the other on one chain. */
export function scenes(): Begin {
  let chain: RegtestChain;
  beforeAll(async () => {
    chain = await RegtestChain.start();
  });
  afterAll(() => chain.stop());
  return async ({ format, restarts = false }, options) => {
    const scene = await Scene.begin(chain, format, options);
    scene.restarts = restarts;
    return scene;
  };
}
