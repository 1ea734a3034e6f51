import { isOpen } from '../../../worker/engine/manager/channel-entry.ts';
import type { CommitmentSpec } from '../../../worker/engine/transactions/commitment-spec.ts';
import type { Side } from '../side.ts';

/** In every commitment the two balances and the HTLCs are the capacity. */
export function checkCapacities(side: Side, complain: (problem: string) => void): void {
  for (const entry of side.node.manager.channels()) {
    if (!isOpen(entry)) continue;
    const { holderCommit, counterpartyCommit, counterpartyNext } = entry.state.commitments;
    const specs = [holderCommit.spec, counterpartyCommit.spec];
    if (counterpartyNext.kind === 'awaitingRevocation') specs.push(counterpartyNext.commit.spec);
    for (const spec of specs)
      if (total(spec) !== entry.state.params.fundingSat * 1000n) complain(`a commitment has ${total(spec)} msat`);
  }
}

const total = ({ toHolderMsat, toCounterpartyMsat, htlcs }: CommitmentSpec): bigint =>
  htlcs.reduce((sum, { amountMsat }) => sum + amountMsat, toHolderMsat + toCounterpartyMsat);
