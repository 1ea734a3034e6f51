import { describe, expect, it } from 'vitest';
import { applyUpdate, newMonitor, type ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import { MonitorPersister } from '../../../worker/engine/monitor/monitor-persister.ts';
import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import { Kept, ours, PARAMS, preimage, revoked, theirs } from './samples.ts';

const writesOf = (): { readonly persister: MonitorPersister; readonly writes: Map<string, Uint8Array | undefined> } => {
  const writes = new Map<string, Uint8Array | undefined>();
  const persister = new MonitorPersister(
    () => writes,
    () => undefined,
  );
  return { persister, writes };
};

/** The records of a monitor with updates 1 to 3, of which a snapshot holds none. */
function records(): Map<string, Uint8Array> {
  const kept = new Kept();
  kept.update(theirs(1));
  kept.update(revoked(0), ours(1));
  kept.update(preimage);
  return new Map(kept.records);
}

const fresh = (): ChannelMonitor => newMonitor(PARAMS, [ours(0), theirs(0)]);

describe('a monitor in the place of another', () => {
  it('goes on after the newest update that there is a record of', () => {
    const { persister } = writesOf();
    expect(persister.begin('k', fresh(), records()).updateId).toBe(3);
    expect(persister.begin('k', { ...fresh(), updateId: 9 }, records()).updateId).toBe(9);
    expect(persister.begin('k', fresh(), new Map()).updateId).toBe(0);
    // A damaged one may be the next.
    const damaged = records().set('mon/3/upd/2', new Uint8Array(3)).set('mon/3/upd/5', new Uint8Array(3));
    expect(persister.newestUpdateId({ ...fresh(), updateId: 6 }, damaged)).toBe(7);
  });

  it('begins with a snapshot, after which its updates follow', () => {
    const { persister, writes } = writesOf();
    let before = persister.begin('k', fresh(), records());
    const next = (): readonly string[] => {
      writes.clear();
      const update = { updateId: before.updateId + 1, steps: [preimage] };
      const applied = applyUpdate(before, update);
      persister.updatePersistedChannel('k', { update, before, ...applied });
      before = applied.monitor;
      return [...writes.keys()].toSorted();
    };
    expect(next()).toEqual(['mon/3/params', 'mon/3/snap']);
    expect(next()).toEqual(['mon/3/upd/5']);
  });
});

it('every monitor is read from what is below mon/, by its channel', () => {
  const { persister } = writesOf();
  const found = persister.loadAll(records().set('arch/4/params', new Uint8Array(3)));
  expect([...found].map(([key, { updateId }]) => [key, updateId])).toEqual([[toHex(PARAMS.channelId), 3]]);
  const withoutSnapshot = records();
  withoutSnapshot.delete('mon/3/snap');
  expect(persister.loadAll(withoutSnapshot).size).toBe(0);
});
