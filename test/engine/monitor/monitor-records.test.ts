import { describe, expect, it } from 'vitest';
import { decodeParameters, encodeParameters } from '../../../worker/engine/monitor/channel-records.ts';
import type { ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import { MonitorPersister } from '../../../worker/engine/monitor/monitor-persister.ts';
import {
  decodeMonitor,
  decodeRevoked,
  encodeMonitor,
  encodeRevoked,
} from '../../../worker/engine/monitor/monitor-records.ts';
import { decodeUpdate, encodeUpdate } from '../../../worker/engine/monitor/update-records.ts';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { ChannelParameters } from '../../../worker/engine/transactions/channel-parameters.ts';
import fixture1 from '../../vectors/monitor-records-v1.json' with { type: 'json' };
import fixture2 from '../../vectors/monitor-records-v2.json' with { type: 'json' };
import fixture3 from '../../vectors/monitor-records-v3.json' with { type: 'json' };
import fixture from '../../vectors/monitor-records-v4.json' with { type: 'json' };
import {
  BEFORE,
  CHANNELS,
  recorded,
  REVOKED,
  SNAPSHOTS,
  SNAPSHOTS_V1,
  SNAPSHOTS_V3,
  SNAPSHOTS_V4,
  storedMonitor,
  UPDATES,
  UPDATES_V3,
} from './recorded.ts';
import { PARAMS } from './samples.ts';

const { channels, snapshots, updates } = fixture;

/** Reads a record that is no update by its key and writes it again. */
function rewritten(name: string, bytes: Uint8Array): Uint8Array {
  if (name.includes('/params')) return encodeParameters(decodeParameters(bytes));
  if (name.includes('/old/')) return encodeRevoked(decodeRevoked(bytes));
  return encodeMonitor(decodeMonitor(PARAMS, bytes));
}

function load(params: ChannelParameters, stored: Readonly<Record<string, string>>): ChannelMonitor | undefined {
  const records = new Map(Object.entries(stored).map(([name, hex]) => [name, fromHex(hex)]));
  const persister = new MonitorPersister(
    () => new Map(),
    () => undefined,
  );
  return persister.load('k', params, records);
}

const FORMATS = ['anchors', 'static_remotekey'] as const;

describe.each([
  [1, fixture1, SNAPSHOTS_V1],
  [2, fixture2, SNAPSHOTS],
  [3, fixture3, SNAPSHOTS_V3],
] as const)('monitor records of version %i', (_, old, oldSnapshots) => {
  it.each(FORMATS)('of a channel with %s are the monitor that was stored', (format) => {
    const stored = old.channels[format];
    const loaded = load(decodeParameters(fromHex(stored.params)), stored.records);
    const { previousHolderCommitment, ...rest } = storedMonitor(CHANNELS[format]);
    expect(loaded && { ...loaded, previousHolderCommitment: undefined }).toMatchObject(rest);
    expect(previousHolderCommitment).toBeDefined();
  });

  it.each(Object.entries(old.snapshots))('of a snapshot are read: %s', (name, hex) => {
    expect(decodeMonitor(PARAMS, fromHex(hex))).toEqual(oldSnapshots[name]);
  });

  it.each(Object.entries(old.updates))('of an update are read: %s', (name, hex) => {
    expect(decodeUpdate(fromHex(hex), BEFORE)).toEqual({ updateId: 7, steps: UPDATES_V3[name] });
  });
});

describe('monitor records of this version', () => {
  it.each(FORMATS)('of a channel with %s are the monitor that was stored', (format) => {
    const stored = channels[format];
    const params = decodeParameters(fromHex(stored.params));
    expect(params).toEqual(CHANNELS[format]);
    expect(toHex(encodeParameters(params))).toBe(stored.params);
    const loaded = load(params, stored.records);
    expect(loaded && decodeMonitor(params, encodeMonitor(loaded))).toEqual(storedMonitor(params));
    const single = Object.entries(stored.records).filter(([name]) => !name.includes('/upd/'));
    for (const [name, hex] of single) expect([name, toHex(rewritten(name, fromHex(hex)))]).toEqual([name, hex]);
    const old = single.filter(([name]) => name.includes('/old/'));
    expect(old.map(([, hex]) => decodeRevoked(fromHex(hex)))).toEqual([REVOKED]);
  });

  it.each(Object.entries(snapshots))('of a snapshot are read and written again the same: %s', (name, hex) => {
    const monitor = decodeMonitor(PARAMS, fromHex(hex));
    expect(monitor).toEqual(SNAPSHOTS_V4[name]);
    expect(toHex(encodeMonitor(monitor))).toBe(hex);
  });

  it.each(Object.entries(updates))('of an update are read and written again the same: %s', (name, hex) => {
    const update = decodeUpdate(fromHex(hex), BEFORE);
    expect(update).toEqual({ updateId: 7, steps: UPDATES[name] });
    expect(toHex(encodeUpdate(update, BEFORE))).toBe(hex);
  });

  it('are still what is written', () => {
    expect(recorded()).toEqual(fixture);
  });

  it('of a later version are refused by their number', () => {
    const later = (hex: string): Uint8Array => fromHex(hex.replace(/^0001../, '000104'));
    const tooNew = expect.objectContaining({ code: 'RecordTooNew' });
    const old = channels.anchors.records['mon/3/old/000000000001'];
    expect(() => decodeMonitor(PARAMS, later(snapshots.live))).toThrow(tooNew);
    expect(() => decodeUpdate(later(updates['shutdown script']), BEFORE)).toThrow(tooNew);
    expect(() => decodeRevoked(later(old))).toThrow(tooNew);
  });
});
