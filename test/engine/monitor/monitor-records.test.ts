import { describe, expect, it } from 'vitest';
import { decodeParameters, encodeParameters } from '../../../worker/engine/monitor/channel-records.ts';
import { MonitorPersister } from '../../../worker/engine/monitor/monitor-persister.ts';
import {
  decodeMonitor,
  decodeRevoked,
  decodeUpdate,
  encodeMonitor,
  encodeRevoked,
  encodeUpdate,
} from '../../../worker/engine/monitor/monitor-records.ts';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import fixture1 from '../../vectors/monitor-records-v1.json' with { type: 'json' };
import fixture from '../../vectors/monitor-records-v2.json' with { type: 'json' };
import { CHANNELS, recorded, REVOKED, SNAPSHOTS, SNAPSHOTS_V1, storedMonitor, UPDATES } from './recorded.ts';
import { PARAMS } from './samples.ts';

const { channels, snapshots, updates } = fixture;

/** Reads a record of a monitor by its key and writes it again. */
function rewritten(name: string, bytes: Uint8Array): Uint8Array {
  if (name.includes('/upd/')) return encodeUpdate(decodeUpdate(bytes));
  if (name.includes('/params')) return encodeParameters(decodeParameters(bytes));
  if (name.includes('/old/')) return encodeRevoked(decodeRevoked(bytes));
  return encodeMonitor(decodeMonitor(PARAMS, bytes));
}

describe('monitor records of version 1', () => {
  it.each(['anchors', 'static_remotekey'] as const)(
    'of a channel with %s are the monitor that was stored',
    (format) => {
      const stored = fixture1.channels[format];
      const records = new Map(Object.entries(stored.records).map(([name, hex]) => [name, fromHex(hex)]));
      const loaded = new MonitorPersister(
        () => new Map(),
        () => undefined,
      ).load('k', decodeParameters(fromHex(stored.params)), records);
      const { previousHolderCommitment, ...rest } = storedMonitor(CHANNELS[format]);
      expect(loaded && { ...loaded, previousHolderCommitment: undefined }).toMatchObject(rest);
      expect(previousHolderCommitment).toBeDefined();
    },
  );

  it.each(Object.entries(fixture1.snapshots))('of a snapshot are read: %s', (name, hex) => {
    expect(decodeMonitor(PARAMS, fromHex(hex))).toEqual(SNAPSHOTS_V1[name]);
  });

  it.each(Object.entries(fixture1.updates))('of an update are read: %s', (name, hex) => {
    expect(decodeUpdate(fromHex(hex))).toEqual({ updateId: 7, steps: UPDATES[name] });
  });
});

describe('monitor records of this version', () => {
  it.each(['anchors', 'static_remotekey'] as const)(
    'of a channel with %s are the monitor that was stored',
    (format) => {
      const stored = channels[format];
      const params = decodeParameters(fromHex(stored.params));
      expect(params).toEqual(CHANNELS[format]);
      expect(toHex(encodeParameters(params))).toBe(stored.params);
      const records = new Map(Object.entries(stored.records).map(([name, hex]) => [name, fromHex(hex)]));
      const loaded = new MonitorPersister(
        () => new Map(),
        () => undefined,
      ).load('k', params, records);
      expect(loaded && decodeMonitor(params, encodeMonitor(loaded))).toEqual(storedMonitor(params));
      for (const [name, bytes] of records) expect([name, toHex(rewritten(name, bytes))]).toEqual([name, toHex(bytes)]);
      const old = [...records].filter(([name]) => name.includes('/old/'));
      expect(old.map(([, bytes]) => decodeRevoked(bytes))).toEqual([REVOKED]);
    },
  );

  it.each(Object.entries(snapshots))('of a snapshot are read and written again the same: %s', (name, hex) => {
    const monitor = decodeMonitor(PARAMS, fromHex(hex));
    expect(monitor).toEqual(SNAPSHOTS[name]);
    expect(toHex(encodeMonitor(monitor))).toBe(hex);
  });

  it.each(Object.entries(updates))('of an update are read and written again the same: %s', (name, hex) => {
    const update = decodeUpdate(fromHex(hex));
    expect(update).toEqual({ updateId: 7, steps: UPDATES[name] });
    expect(toHex(encodeUpdate(update))).toBe(hex);
  });

  it('are still what is written', () => {
    expect(recorded()).toEqual(fixture);
  });

  it('of a later version are refused by their number', () => {
    const later = (hex: string): Uint8Array => fromHex(hex.replace(/^0001../, '000103'));
    const tooNew = expect.objectContaining({ code: 'RecordTooNew' });
    const old = channels.anchors.records['mon/3/old/000000000001'];
    expect(() => decodeMonitor(PARAMS, later(snapshots.live))).toThrow(tooNew);
    expect(() => decodeUpdate(later(updates['shutdown script']))).toThrow(tooNew);
    expect(() => decodeRevoked(later(old))).toThrow(tooNew);
  });
});
