import { describe, expect, it } from 'vitest';
import type { ChannelMonitor } from '../../../../worker/engine/monitor/channel-monitor.ts';
import type { Claim } from '../../../../worker/engine/monitor/claims/claim.ts';
import { isFullyResolved } from '../../../../worker/engine/monitor/claims/full-resolution.ts';
import { storedMonitor } from '../recorded.ts';
import { PARAMS } from '../samples.ts';

const CLOSED_AT = 800;
const LATER = CLOSED_AT + 4032;

/** One with an HTLC of ours (id 9), whose close is in the chain. */
const CLOSED: ChannelMonitor = {
  ...storedMonitor(PARAMS),
  closed: 'broadcast',
  decidedHtlcs: [9n],
  confirmedSpend: {
    spend: { kind: 'holderCommitment' },
    transaction: new Uint8Array(80),
    txid: new Uint8Array(32),
    height: CLOSED_AT,
  },
};

const toRemote = (amountSat: bigint): Claim => ({
  kind: 'toRemote',
  format: 'anchors',
  outpoint: { txid: new Uint8Array(32), vout: 0 },
  amountSat,
  script: new Uint8Array(34),
  validFrom: CLOSED_AT + 1,
  deadline: undefined,
});

describe('a closed channel is over', () => {
  it('4,032 blocks after the last that happened in it', () => {
    expect(isFullyResolved(CLOSED, [], LATER - 1)).toBe(false);
    expect(isFullyResolved(CLOSED, [], LATER)).toBe(true);
    const spend = { transaction: new Uint8Array(80), txid: new Uint8Array(32), height: CLOSED_AT + 5 };
    expect(isFullyResolved({ ...CLOSED, outputSpends: [spend] }, [], LATER)).toBe(false);
    expect(isFullyResolved({ ...CLOSED, confirmedSpend: undefined }, [], LATER)).toBe(false);
  });

  it('not while something can still be claimed that is worth its fee, whatever else there is', () => {
    expect(isFullyResolved(CLOSED, [toRemote(20n)], LATER)).toBe(true);
    expect(isFullyResolved(CLOSED, [toRemote(20n), toRemote(5_000n)], LATER)).toBe(false);
    expect(isFullyResolved(CLOSED, [toRemote(5_000n), toRemote(20n)], LATER)).toBe(false);
  });

  it('not before the fate of each HTLC of ours is known, and told', () => {
    expect(isFullyResolved({ ...CLOSED, decidedHtlcs: [] }, [], LATER)).toBe(false);
    const [htlc] = CLOSED.holderCommitment.spec.htlcs;
    const events = htlc === undefined ? [] : [{ id: 0, htlc, preimage: undefined }];
    expect(isFullyResolved({ ...CLOSED, events }, [], LATER)).toBe(false);
  });
});
