import { describe, expect, it } from 'vitest';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { sha256 } from '../../worker/engine/primitives/hash.ts';
import { feeratePerKw, msat } from '../../worker/engine/primitives/units.ts';
import type { ChannelMonitor, ConfirmedSpend } from '../../worker/engine/monitor/channel-monitor.ts';
import type { ChannelHtlc } from '../../worker/engine/transactions/channel-htlc.ts';
import type { CommitmentFormat } from '../../worker/engine/transactions/channel-scripts.ts';
import type { CommitmentSpec } from '../../worker/engine/transactions/commitment-spec.ts';
import { claimableSat } from './oracle.ts';
import { startOf } from './starts.ts';
import { World } from './world.ts';

const world = new World(await startOf('wide', 'fake'));
const PREIMAGE = new Uint8Array(32).fill(7);

/** Of the channel's fundee, who pays no fee for it. */
function monitorOf(specs: { holder: CommitmentSpec; counterparty: readonly CommitmentSpec[] }): ChannelMonitor {
  const [monitor] = [...world.b.view.monitors.values()];
  if (monitor === undefined) throw new Error('the start has a channel');
  return {
    ...monitor,
    holderCommitment: { ...monitor.holderCommitment, spec: specs.holder },
    counterpartyCommitments: specs.counterparty.map((spec, index) => ({
      number: index,
      spec,
      perCommitmentPoint: new Uint8Array(33),
    })),
  };
}

function ofOpener(monitor: ChannelMonitor, format: CommitmentFormat = 'anchors'): ChannelMonitor {
  return { ...monitor, params: { ...monitor.params, isOpener: true, format } };
}

const specOf = (toHolderSat: bigint, ...htlcs: readonly ChannelHtlc[]): CommitmentSpec => ({
  feeratePerKw: feeratePerKw(1000),
  toHolderMsat: msat(toHolderSat * 1000n),
  toCounterpartyMsat: msat(0n),
  htlcs,
});

const htlc = (direction: ChannelHtlc['direction'], amountSat: bigint): ChannelHtlc => ({
  direction,
  id: 0n,
  amountMsat: msat(amountSat * 1000n),
  paymentHash: sha256(PREIMAGE),
  cltvExpiry: 200,
  onion: new Uint8Array(0),
});

const knowing = (monitor: ChannelMonitor): ChannelMonitor => ({
  ...monitor,
  preimages: new Map([[toHex(sha256(PREIMAGE)), PREIMAGE]]),
});

const confirmed = (monitor: ChannelMonitor, spend: ConfirmedSpend['spend']): ChannelMonitor => ({
  ...monitor,
  confirmedSpend: { spend, transaction: new Uint8Array(0), txid: new Uint8Array(32), height: 1 },
});

const same = (spec: CommitmentSpec): ChannelMonitor => monitorOf({ holder: spec, counterparty: [spec] });

describe('what can be claimed at least', () => {
  it('is the balance in the worst of the commitments that can be broadcast', () => {
    const specs = { holder: specOf(50_000n), counterparty: [specOf(40_000n), specOf(60_000n)] };
    expect(claimableSat(monitorOf(specs))).toBe(40_000n);
  });

  it('is what the confirmed commitment has, once there is one', () => {
    const monitor = monitorOf({ holder: specOf(50_000n), counterparty: [specOf(40_000n), specOf(60_000n)] });
    expect(claimableSat(confirmed(monitor, { kind: 'holderCommitment' }))).toBe(50_000n);
    const perCommitmentPoint = new Uint8Array(33);
    expect(claimableSat(confirmed(monitor, { kind: 'counterpartyCommitment', number: 1, perCommitmentPoint }))).toBe(
      60_000n,
    );
  });

  it('includes an outbound HTLC, and an inbound one whose preimage is known', () => {
    expect(claimableSat(same(specOf(50_000n, htlc('outbound', 3_000n))))).toBe(53_000n);
    expect(claimableSat(same(specOf(50_000n, htlc('inbound', 3_000n))))).toBe(50_000n);
    expect(claimableSat(knowing(same(specOf(50_000n, htlc('inbound', 3_000n)))))).toBe(53_000n);
  });

  it('loses an HTLC without an output', () => {
    expect(claimableSat(same(specOf(50_000n, htlc('outbound', 353n))))).toBe(50_000n);
    expect(claimableSat(same(specOf(50_000n, htlc('outbound', 354n))))).toBe(50_354n);
  });

  it('is less the fee and both anchors for the opener', () => {
    expect(claimableSat(ofOpener(same(specOf(50_000n))))).toBe(50_000n - 1124n - 660n);
    expect(claimableSat(ofOpener(same(specOf(50_000n)), 'static_remotekey'))).toBe(50_000n - 724n);
  });

  it('pays for HTLC transactions of our own commitment without anchors', () => {
    const spec = specOf(50_000n, htlc('outbound', 3_000n));
    const monitor = ofOpener(monitorOf({ holder: spec, counterparty: [spec] }), 'static_remotekey');
    expect(claimableSat(monitor)).toBe(50_000n - (724n + 172n) + 3_000n - 663n);
    const theirs = { kind: 'counterpartyCommitment', number: 0, perCommitmentPoint: new Uint8Array(33) } as const;
    expect(claimableSat(confirmed(monitor, theirs))).toBe(50_000n - (724n + 172n) + 3_000n);
  });

  it('is nothing only where nothing is ours', () => {
    expect(claimableSat(same(specOf(0n)))).toBe(0n);
    expect(claimableSat(same(specOf(353n)))).toBe(0n);
    expect(claimableSat(same(specOf(0n, htlc('outbound', 354n))))).toBe(354n);
    expect(claimableSat(same(specOf(354n)))).toBe(354n);
  });

  it('is the output that an agreed close pays to our script', async () => {
    const closing = new World(await startOf('wide', 'fake'));
    closing.connect();
    await closing.pump();
    const [entry] = closing.b.node.manager.channels();
    closing.b.node.turn(() => closing.b.node.manager.closeChannel(entry?.key ?? ''));
    await closing.pump();
    closing.mine();
    await closing.pump();
    const [monitor] = [...closing.b.view.monitors.values()];
    expect(monitor && claimableSat(monitor)).toBe(400_000n);
  });
});
