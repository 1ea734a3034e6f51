import { describe, expect, it } from 'vitest';
import type { ChannelEntry } from '../../worker/engine/manager/channel-entry.ts';
import { ChannelQuarantine } from '../../worker/engine/manager/channel-quarantine.ts';

const DAY_MS = 86_400_000;

describe('a channel whose peer restarts now and then', () => {
  it('is not set apart: lnd says "internal error" at each orderly shutdown, after a day of work', () => {
    const quarantine = new ChannelQuarantine();
    const entry = { connection: 'connected' } as ChannelEntry;
    for (let day = 1; day <= 5; day++) {
      quarantine.connected(entry, (day - 1) * DAY_MS);
      quarantine.blame(entry, day * DAY_MS - 1_000);
      quarantine.disconnected(entry, day * DAY_MS - 900);
      expect(quarantine.isSetApart(entry)).toBe(false);
    }
  });

  it('is set apart where each connection ends at once', () => {
    const quarantine = new ChannelQuarantine();
    const entry = { connection: 'connected' } as ChannelEntry;
    for (let second = 0; second < 3; second++) {
      quarantine.connected(entry, second * 1_000);
      quarantine.blame(entry, second * 1_000 + 100);
      quarantine.disconnected(entry, second * 1_000 + 200);
    }
    expect(quarantine.isSetApart(entry)).toBe(true);
  });
});
