import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { perCommitmentSecret } from '../../../worker/engine/keys/shachain.ts';
import {
  applyUpdate,
  lastCounterpartySecret,
  type ChannelMonitor,
} from '../../../worker/engine/monitor/channel-monitor.ts';
import { decodeMonitor, decodeRevoked } from '../../../worker/engine/monitor/monitor-records.ts';
import type { HolderCommitmentFate, MonitorStep } from '../../../worker/engine/monitor/monitor-update.ts';
import { htlc, Kept, ours, PREIMAGE, preimage, revoked, SEED, spec, theirs } from './samples.ts';

/** One payment that comes in: the four updates of its receiver. */
function payment(kept: Kept, number: number): void {
  kept.update(ours(number, [htlc(0n)]), theirs(number, [htlc(0n)]));
  kept.update(revoked(number - 1), theirs(number + 1), preimage);
  kept.update(revoked(number), ours(number + 1));
}

describe('a monitor', () => {
  it('comes back from its records as it was, snapshot or updates', () => {
    const kept = new Kept();
    for (let number = 1; number < 80; number += 2) {
      payment(kept, number);
      expect(kept.loaded()).toEqual(kept.monitor);
    }
  });

  it('does not grow with the payments that it has seen', () => {
    const kept = new Kept();
    const sizes: number[] = [];
    for (let number = 1; number < 700; number += 2) {
      payment(kept, number);
      const live = [...kept.records].filter(([name]) => !name.includes('/old/'));
      sizes.push(live.reduce((sum, [, value]) => sum + value.length, 0));
    }
    expect(Math.max(...sizes.slice(200))).toBeLessThanOrEqual(Math.max(...sizes.slice(60, 200)) * 1.3);
  });

  it('keeps the HTLCs of what was revoked, and forgets preimages that no commitment needs', () => {
    const kept = new Kept();
    payment(kept, 1);
    const [name, record] = [...kept.records].find(([key]) => key.includes('/old/')) ?? [];
    expect(name).toBe('mon/3/old/000000000001');
    expect(decodeRevoked(record ?? new Uint8Array(0))).toEqual({ number: 1, spec: spec([htlc(0n)]) });
    // Our commitment before the newest has it still.
    expect(kept.monitor.preimages.size).toBe(1);
    kept.update(ours(3));
    expect(kept.monitor.preimages.size).toBe(0);
  });

  it('has a preimage while a commitment has its HTLC', () => {
    const kept = new Kept();
    kept.update(ours(1, [htlc(0n)]), theirs(1, [htlc(0n)]));
    kept.update(revoked(0), theirs(2), preimage);
    expect([...kept.monitor.preimages.values()]).toEqual([PREIMAGE]);
  });

  it.each([3, 79])('is archived whole, after %i commitments, and leaves nothing else but what was revoked', (last) => {
    const kept = new Kept();
    for (let number = 1; number < last; number += 2) payment(kept, number);
    kept.archive();
    const left = [...kept.records.keys()].filter((name) => !name.startsWith('mon/3/old/'));
    expect(left).toEqual(['arch/3/snap']);
    const record = kept.records.get('arch/3/snap') ?? new Uint8Array(0);
    const { updateId, holderCommitment, secrets } = kept.monitor;
    expect(decodeMonitor(kept.monitor.params, record)).toMatchObject({ updateId, holderCommitment, secrets });
  });

  it('gives back the newest secret for channel_reestablish', () => {
    const kept = new Kept();
    expect(lastCounterpartySecret(kept.monitor)).toEqual(new Uint8Array(32));
    payment(kept, 1);
    expect(lastCounterpartySecret(kept.monitor)).toEqual(perCommitmentSecret(SEED, 1));
  });

  it('refuses updates out of order, and steps that do not follow', () => {
    const { monitor } = new Kept();
    const apply = (updateId: number, ...steps: MonitorStep[]) => applyUpdate(monitor, { updateId, steps });
    const broken = expect.objectContaining({ code: 'InvariantBroken' });
    expect(() => apply(2, ours(1))).toThrow(broken);
    expect(() => apply(1, ours(2))).toThrow(broken);
    expect(() => apply(1, theirs(2))).toThrow(broken);
    expect(() => apply(1, theirs(1), theirs(2))).toThrow(broken);
    expect(() => apply(1, revoked(0))).toThrow(broken);
  });

  it('is never behind by a lost update: it stops before the gap', () => {
    fc.assert(
      fc.property(fc.nat(8), (gap) => {
        const kept = new Kept();
        for (let number = 1; number < 7; number += 2) payment(kept, number);
        kept.records.delete(`mon/3/upd/${gap + 1}`);
        expect(kept.loaded()?.updateId).toBe(gap);
      }),
    );
  });

  it('of a copy lets no commitment go out, until its state is confirmed, and never one that is revoked', () => {
    const closed = (holderCommitment: HolderCommitmentFate): MonitorStep => ({
      kind: 'channelForceClosed',
      holderCommitment,
    });
    const fateAfter = (...steps: MonitorStep[]): ChannelMonitor['closed'] => {
      const kept = new Kept();
      for (const step of steps) kept.update(step);
      expect(kept.loaded()?.closed).toBe(kept.monitor.closed);
      return kept.monitor.closed;
    };
    const [copied, confirmed] = [{ kind: 'copied' }, { kind: 'stateConfirmed' }] as const;
    expect(fateAfter(closed('broadcast'))).toBe('broadcast');
    expect(fateAfter(copied, closed('broadcast'))).toBe('wait');
    expect(fateAfter(copied, closed('never'))).toBe('never');
    expect(fateAfter(copied, confirmed, closed('broadcast'))).toBe('broadcast');
    expect(fateAfter(copied, closed('broadcast'), confirmed, closed('broadcast'))).toBe('broadcast');
    expect(fateAfter(closed('never'), confirmed, closed('broadcast'))).toBe('never');
    // What was decided before the copy was made stays so.
    expect(fateAfter(closed('broadcast'), copied, closed('broadcast'))).toBe('broadcast');
  });
});
