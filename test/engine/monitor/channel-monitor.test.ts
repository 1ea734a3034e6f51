import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { perCommitmentSecret } from '../../../worker/engine/keys/shachain.ts';
import {
  applyUpdate,
  lastCounterpartySecret,
  newMonitor,
  type ChannelMonitor,
} from '../../../worker/engine/monitor/channel-monitor.ts';
import { MonitorPersister } from '../../../worker/engine/monitor/monitor-persister.ts';
import { decodeRevoked } from '../../../worker/engine/monitor/monitor-records.ts';
import type { MonitorStep } from '../../../worker/engine/monitor/monitor-update.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { feeratePerKw, msat, sat } from '../../../worker/engine/primitives/units.ts';
import type { ChannelHtlc } from '../../../worker/engine/transactions/channel-htlc.ts';
import type { ChannelParameters, PartyTerms } from '../../../worker/engine/transactions/channel-parameters.ts';
import type { CommitmentSpec } from '../../../worker/engine/transactions/commitment-spec.ts';

const key = (fill: number): Uint8Array => Uint8Array.of(2, ...new Uint8Array(32).fill(fill));
const terms = (fill: number): PartyTerms => ({
  fundingPubkey: key(fill),
  revocationBasepoint: key(fill + 1),
  paymentBasepoint: key(fill + 2),
  delayedPaymentBasepoint: key(fill + 3),
  htlcBasepoint: key(fill + 4),
  dustLimitSat: sat(354n),
  maxHtlcValueInFlightMsat: 1_000_000_000n,
  channelReserveSat: sat(1000n),
  htlcMinimumMsat: 1n,
  toSelfDelay: 144,
  maxAcceptedHtlcs: 483,
  upfrontShutdownScript: new Uint8Array(0),
});
const PARAMS: ChannelParameters = {
  channelId: new Uint8Array(32).fill(7),
  counterpartyNodeId: key(99),
  channelKeysIndex: 3,
  isOpener: true,
  format: 'anchors',
  channelType: Uint8Array.of(0x40, 0x10, 0),
  fundingSat: sat(1_000_000n),
  fundingTxid: new Uint8Array(32).fill(7),
  fundingOutputIndex: 1,
  holder: terms(10),
  counterparty: terms(20),
  minimumDepth: 3,
};
const PREIMAGE = new Uint8Array(32).fill(4);
const SEED = new Uint8Array(32).fill(1);

const htlc = (id: bigint): ChannelHtlc => ({
  direction: 'inbound',
  id,
  amountMsat: msat(5_000_000n),
  paymentHash: sha256(PREIMAGE),
  cltvExpiry: 500,
  onion: new Uint8Array(0),
});
const spec = (htlcs: readonly ChannelHtlc[] = []): CommitmentSpec => ({
  feeratePerKw: feeratePerKw(1000),
  toHolderMsat: msat(900_000_000n),
  toCounterpartyMsat: msat(100_000_000n - 5_000_000n * BigInt(htlcs.length)),
  htlcs,
});
const signature = new Uint8Array(64).fill(8);
const ours = (number: number, htlcs: readonly ChannelHtlc[] = []): MonitorStep => ({
  kind: 'latestHolderCommitment',
  number,
  spec: spec(htlcs),
  signature,
  htlcSignatures: htlcs.map(() => signature),
});
const theirs = (number: number, htlcs: readonly ChannelHtlc[] = []): MonitorStep => ({
  kind: 'latestCounterpartyCommitment',
  number,
  spec: spec(htlcs),
  perCommitmentPoint: key(number + 30),
});
const revoked = (number: number): MonitorStep => ({
  kind: 'commitmentSecret',
  number,
  secret: perCommitmentSecret(SEED, number),
});
const preimage: MonitorStep = { kind: 'paymentPreimage', preimage: PREIMAGE };

/** A monitor beside its persister, and what the persister has written. */
class Kept {
  readonly records = new Map<string, Uint8Array>();
  readonly #writes = new Map<string, Uint8Array | undefined>();
  readonly #persister = new MonitorPersister(() => this.#writes);
  monitor: ChannelMonitor;

  constructor() {
    this.monitor = newMonitor(PARAMS, [theirs(0), ours(0)]);
    this.#persister.persistNewChannel('k', this.monitor);
    this.#flush();
  }

  update(...steps: MonitorStep[]): void {
    const update = { updateId: this.monitor.updateId + 1, steps };
    const applied = applyUpdate(this.monitor, update);
    this.monitor = applied.monitor;
    this.#persister.updatePersistedChannel('k', update, applied.monitor, applied.revoked);
    this.#flush();
  }

  loaded(): ChannelMonitor | undefined {
    return new MonitorPersister(() => new Map()).load('k', PARAMS, this.records);
  }

  #flush(): void {
    for (const [name, value] of this.#writes) {
      if (value === undefined) this.records.delete(name);
      else this.records.set(name, value);
    }
    this.#writes.clear();
  }
}

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
    expect(kept.monitor.preimages.size).toBe(0);
  });

  it('has a preimage while a commitment has its HTLC', () => {
    const kept = new Kept();
    kept.update(ours(1, [htlc(0n)]), theirs(1, [htlc(0n)]));
    kept.update(revoked(0), theirs(2), preimage);
    expect([...kept.monitor.preimages.values()]).toEqual([PREIMAGE]);
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
        kept.records.delete(`mon/3/upd/${String(gap + 1).padStart(12, '0')}`);
        expect(kept.loaded()?.updateId).toBe(gap);
      }),
    );
  });
});
