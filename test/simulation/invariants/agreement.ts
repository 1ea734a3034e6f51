import { isQuiet } from '../../../worker/engine/channel/commitments.ts';
import { isOpen, type OpenEntry } from '../../../worker/engine/manager/channel-entry.ts';
import type { CommitmentSpec } from '../../../worker/engine/transactions/commitment-spec.ts';
import { isFunded } from '../funding.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/** When everything was delivered, both sides of a channel say the same of it, and nothing moves any more. */
export function checkAgreement(world: World): void {
  for (const side of world.honest)
    for (const entry of side.node.manager.channels()) {
      const peer = world.sideOf(entry.nodeId);
      if (!isOpen(entry) || peer === undefined || world.isWrong(peer)) continue;
      // Whoever took an attempt that the opener has forgotten waits for a funding that never comes.
      if (world.opened && !isFunded(world, entry.state.params)) continue;
      checkChannel(entry, peer, (problem) => world.complain(side.name, `at rest, ${problem}`));
    }
}

function checkChannel(entry: OpenEntry, peer: Side, complain: (problem: string) => void): void {
  const mirrored = peer.node.manager.channels().find(({ key }) => key === entry.key);
  if (mirrored === undefined || !isOpen(mirrored)) return complain('a channel is open on one side only');
  if (entry.connection !== 'connected') complain('a channel is not connected');
  const { commitments, holderReadySent, counterpartyReady } = entry.state;
  if (holderReadySent && counterpartyReady && !isQuiet(commitments)) complain('a channel still moves');
  const theirs = mirrored.state.commitments;
  if (commitments.holderCommit.number !== theirs.counterpartyCommit.number) complain('the commitment numbers differ');
  checkMirrored(commitments.holderCommit.spec, theirs.counterpartyCommit.spec, complain);
  checkMirrored(commitments.counterpartyCommit.spec, theirs.holderCommit.spec, complain);
}

function checkMirrored(ours: CommitmentSpec, theirs: CommitmentSpec, complain: (problem: string) => void): void {
  if (ours.toHolderMsat !== theirs.toCounterpartyMsat || ours.toCounterpartyMsat !== theirs.toHolderMsat)
    complain('the balances differ');
  if (ours.feeratePerKw !== theirs.feeratePerKw) complain('the feerates differ');
}
