import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/** A user hears of the end of each payment once: of a try that failed, of a payment that was made, of one that came. */
export function checkOutcomes(world: World): void {
  for (const side of world.honest) {
    for (const [hash, { state }] of side.view.outbound) {
      if (state.kind === 'pending') continue;
      const tries = side.view.tries.get(hash)?.size ?? 0;
      const sent = state.kind === 'succeeded' ? 1 : 0;
      checkCount(world, side, hash, { paymentSent: sent, paymentFailed: tries - sent });
    }
    for (const [hash, { received }] of side.view.inbound)
      checkCount(world, side, hash, { paymentReceived: received === undefined ? 0 : 1 });
  }
}

type Counts = Readonly<Partial<Record<'paymentSent' | 'paymentFailed' | 'paymentReceived', number>>>;

function checkCount(world: World, side: Side, hash: string, expected: Counts): void {
  for (const [kind, count] of Object.entries(expected)) {
    const told = side.view.events.ever().filter((event) => event.kind === kind && event.subject === hash).length;
    if (told !== count)
      world.complain(side.name, `${kind} of ${hash.slice(0, 8)} was told ${told} times, not ${count}`);
  }
}
