import type { Format } from './scene.ts';

/** Each scenario with each format, and again with a restart before every block. */
export const CASES = (['anchors', 'static_remotekey'] as const satisfies readonly Format[]).flatMap((format) => [
  { name: format, format, restarts: false },
  { name: `${format} and a restart before every block`, format, restarts: true },
]);
