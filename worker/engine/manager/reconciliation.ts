import { toHex } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import type { StoredRecords } from '../primitives/store.ts';
import type { OpenChannel } from '../channel/channel-state.ts';
import type { SignerProvider } from '../keys/ports.ts';
import type { ChannelMonitor } from '../monitor/channel-monitor.ts';
import type { MonitorPersister } from '../monitor/monitor-persister.ts';
import { newEntry, type ChannelEntry } from './channel-entry.ts';
import { readChannels } from './channel-store.ts';

/** A channel that was read back, with its monitor. */
export interface RestoredChannel {
  readonly entry: ChannelEntry;
  readonly monitor: ChannelMonitor;
}

/**
 * Every channel of the store, each in agreement with its monitor. Throws `ChannelRecordMissing`, `MonitorMissing` or
 * `MonitorDiverged`: then nothing may be said for this wallet.
 */
export function restoreChannels(
  records: StoredRecords,
  persister: MonitorPersister,
  keys: SignerProvider,
  outboundOnion: (channelKey: string, htlcId: bigint) => Uint8Array,
): readonly RestoredChannel[] {
  return readChannels(records, outboundOnion).map((stored) => {
    const { key, params } = stored;
    const monitor = persister.load(key, params, records);
    if (monitor === undefined)
      throw new GlowwormError('MonitorMissing', 'A channel has lost its monitor: restore the wallet from a backup.', {
        channelId: key,
      });
    if (stored.kind === 'open') checkAgainstMonitor(stored.channel, monitor);
    const signer = keys.deriveChannelSigner(
      params.channelKeysIndex,
      params.fundingSat,
      stored.kind === 'open' ? stored.signer : undefined,
    );
    const nodeId = toHex(params.counterpartyNodeId);
    const entry = newEntry({ key, nodeId, signer, state: stored.channel, connection: 'disconnected' });
    entry.forwarding = stored.forwarding;
    if (stored.kind === 'closed') entry.anchorChild = stored.anchorChild;
    entry.saved = { state: entry.state, signerState: signer.state };
    for (const name of stored.onions) entry.storedOnions.add(name);
    return { entry, monitor };
  });
}

/**
 * Channel and monitor are written in one transaction, so they agree. If they do not, one of them was restored from
 * elsewhere: whoever went on from the older one could broadcast what is revoked.
 */
function checkAgainstMonitor({ params, commitments }: OpenChannel, monitor: ChannelMonitor): void {
  const newest = monitor.counterpartyCommitments.at(-1)?.number;
  const { counterpartyNext, counterpartyCommit, holderCommit } = commitments;
  const signed =
    counterpartyNext.kind === 'awaitingRevocation' ? counterpartyNext.commit.number : counterpartyCommit.number;
  if (monitor.holderCommitment.number !== holderCommit.number || newest !== signed)
    throw new GlowwormError('MonitorDiverged', 'A channel and its monitor disagree: nothing is sent for this wallet.', {
      channelId: toHex(params.channelId),
    });
}
