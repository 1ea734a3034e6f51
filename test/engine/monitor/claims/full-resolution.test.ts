import { describe, expect, it } from 'vitest';
import type { ChannelMonitor } from '../../../../worker/engine/monitor/channel-monitor.ts';
import type { Claim } from '../../../../worker/engine/monitor/claims/claim.ts';
import { isFullyResolved } from '../../../../worker/engine/monitor/claims/full-resolution.ts';
import { p2wpkh } from '../../../../worker/engine/transactions/script.ts';
import { storedMonitor } from '../recorded.ts';
import { PARAMS } from '../samples.ts';

const CLOSED_AT = 800;
const LATER = CLOSED_AT + 4032;
const P2WPKH = p2wpkh(new Uint8Array(33));

/** One with an HTLC of ours (id 9), whose close is in the chain. */
const CLOSED: ChannelMonitor = {
  ...storedMonitor(PARAMS),
  closed: 'broadcast',
  decidedHtlcs: new Map([[9n, 'failed']]),
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
    expect(isFullyResolved(CLOSED, [], LATER - 1, P2WPKH)).toBe(false);
    expect(isFullyResolved(CLOSED, [], LATER, P2WPKH)).toBe(true);
    const spend = { transaction: new Uint8Array(80), txid: new Uint8Array(32), height: CLOSED_AT + 5 };
    expect(isFullyResolved({ ...CLOSED, outputSpends: [spend] }, [], LATER, P2WPKH)).toBe(false);
    expect(isFullyResolved({ ...CLOSED, confirmedSpend: undefined }, [], LATER, P2WPKH)).toBe(false);
  });

  it('not while something can still be claimed that is worth its fee, whatever else there is', () => {
    // What takes 400 sat alone would be relayed with an output below dust only.
    for (const sat of [20n, 400n]) expect(isFullyResolved(CLOSED, [toRemote(sat)], LATER, P2WPKH)).toBe(true);
    expect(isFullyResolved(CLOSED, [toRemote(400n), toRemote(400n)], LATER, P2WPKH)).toBe(false);
    expect(isFullyResolved(CLOSED, [toRemote(20n), toRemote(5_000n)], LATER, P2WPKH)).toBe(false);
    expect(isFullyResolved(CLOSED, [toRemote(5_000n), toRemote(20n)], LATER, P2WPKH)).toBe(false);
  });

  it('not before the fate of each HTLC of ours is known, and told', () => {
    expect(isFullyResolved({ ...CLOSED, decidedHtlcs: new Map() }, [], LATER, P2WPKH)).toBe(false);
    const [htlc] = CLOSED.holderCommitment.spec.htlcs;
    const events = htlc === undefined ? [] : [{ id: 0, htlc, resolution: { kind: 'timedOut' } as const }];
    expect(isFullyResolved({ ...CLOSED, events }, [], LATER, P2WPKH)).toBe(false);
  });
});
