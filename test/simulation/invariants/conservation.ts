import type { World } from '../world.ts';
import { broughtMsat, entitledMsat } from './entitlements.ts';

/** Among the honest no millisatoshi comes or goes: what all have together is what all had, whoever paid whom through whom. */
export function checkConservation(world: World): void {
  if (world.honest.length < world.sides.length) return;
  const sumOf = (of: typeof entitledMsat): bigint => world.sides.reduce((sum, side) => sum + of(world, side), 0n);
  const [had, have] = [sumOf(broughtMsat), sumOf(entitledMsat)];
  if (have !== had) world.complain('all', `have ${have} msat together, and had ${had}`);
}
