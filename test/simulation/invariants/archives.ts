import { isFunded } from '../funding.ts';
import type { World } from '../world.ts';

/** No channel is given up that has money in it. */
export function checkArchives(world: World): void {
  for (const side of world.honest)
    for (const [key, params] of side.view.archived)
      if (isFunded(world, params)) world.complain(side.name, `gave up ${key.slice(0, 8)}, in which there is money`);
}
