import { isUsableAt } from '../../../worker/engine/manager/channel-entry.ts';
import { availableToSendMsat } from '../../../worker/engine/channel/channel-limits.ts';
import { outboundOf } from '../settlement.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/** Little enough for nearly every balance that a run leaves, and an output in every commitment. */
const AMOUNT_MSAT = 2_000_000n;

/** Whoever has a channel that is open can pay with it, as soon as nothing else is under way. */
export async function checkLiveness(world: World, pumped: () => Promise<void>): Promise<void> {
  for (const { ends } of world.links)
    for (const [from, to] of [ends, ends.toReversed() as [Side, Side]]) {
      if (world.isWrong(from) || world.isWrong(to) || mostMsat(from, to) < AMOUNT_MSAT) continue;
      world.pay(from, AMOUNT_MSAT, to);
      await pumped();
      const { paymentHash } = world.payments.at(-1) ?? { paymentHash: '' };
      const state = outboundOf(from, paymentHash)?.state;
      if (state?.kind === 'succeeded') continue;
      const reason = state?.kind === 'failed' ? state.failure.code : (state?.kind ?? 'refused');
      world.complain(from.name, `can no longer pay ${to.name}: ${reason}`);
    }
}

/** With one HTLC. */
const mostMsat = (from: Side, to: Side): bigint =>
  from.node.manager
    .channels()
    .filter((entry) => entry.nodeId === to.node.nodeId)
    .flatMap((entry) =>
      isUsableAt(entry, from.node.manager.blockHeight)
        ? [availableToSendMsat(entry.state.params, entry.state.commitments) as bigint]
        : [],
    )
    .reduce((most, each) => (each > most ? each : most), 0n);
