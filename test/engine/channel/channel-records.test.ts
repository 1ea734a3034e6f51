import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { msat } from '../../../worker/engine/primitives/units.ts';
import {
  decodeClosedChannel,
  decodeOpenChannel,
  encodeClosedChannel,
  encodeOpenChannel,
} from '../../../worker/engine/channel/channel-records.ts';
import { afterDisconnection } from '../../../worker/engine/channel/channel-reestablish.ts';
import type { CloseReason, OpenChannel, Shutdown } from '../../../worker/engine/channel/channel-state.ts';
import { allHtlcs } from '../../../worker/engine/channel/commitments.ts';
import { decodeParameters, encodeParameters } from '../../../worker/engine/monitor/channel-records.ts';
import { htlcKey } from '../../../worker/engine/transactions/channel-htlc.ts';
import fixture from '../../vectors/records-v1.json' with { type: 'json' };
import { NEW_TERMS } from '../../../worker/engine/channel/channel-shutdown.ts';
import { openPair, type Party } from './party.ts';
import { step, take } from './steps.ts';

/** What a restart makes of a party's channel. */
function reread({ state, signer }: Party): ReturnType<typeof decodeOpenChannel> {
  const htlcs = allHtlcs(state.commitments);
  return decodeOpenChannel(encodeOpenChannel(state, signer.state), {
    params: decodeParameters(encodeParameters(state.params)),
    onionOf: ({ direction, id }) =>
      [...htlcs.values()].find((htlc) => htlcKey(htlc) === htlcKey({ ...htlc, direction, id }))?.onion ??
      new Uint8Array(0),
    fundingTransaction: state.funding.transaction,
  });
}

function expectReread(party: Party): void {
  const { channel, signer } = reread(party);
  expect(channel).toEqual(afterDisconnection(party.state));
  expect(signer).toEqual(party.signer.state);
}

describe('an open channel', () => {
  it('is read as it was written, whatever is under way', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const { opener, fundee } = openPair();
        for (const each of steps) {
          const [from, to] = each.who === 'opener' ? [opener, fundee] : [fundee, opener];
          take(from, to, each);
          expectReread(from);
          expectReread(to);
        }
      }),
      { numRuns: 40 },
    );
  });

  const script = Uint8Array.of(0, 20, ...new Uint8Array(20));
  it.each<[string, Partial<OpenChannel>]>([
    ['unconfirmed', { funding: { kind: 'unconfirmed', transaction: new Uint8Array(100).fill(1) } }],
    ['not ready', { holderReadySent: false, counterpartyReady: false }],
    ['without aliases', { counterpartyAlias: 0n }],
    ...(
      [
        { kind: 'holder', holderScript: script, sent: false, terms: NEW_TERMS },
        { kind: 'holder', holderScript: script, sent: true, terms: { ...NEW_TERMS, acceptedSat: 5_000n } },
        { kind: 'both', holderScript: script, counterpartyScript: script, sent: false, terms: NEW_TERMS },
        {
          kind: 'both',
          holderScript: script,
          counterpartyScript: script,
          sent: true,
          terms: {
            raisedToSat: 2_000n,
            dispute: { sinceHeight: 190, lastHeight: 195 },
            agreedSat: 1_999n,
            negotiation: {},
          },
        },
      ] satisfies Shutdown[]
    ).map((shutdown): [string, Partial<OpenChannel>] => [`shutdown ${shutdown.kind} ${shutdown.sent}`, { shutdown }]),
  ])('is read as it was written when %s', (_name, change) => {
    const { opener } = openPair();
    opener.state = { ...opener.state, ...change };
    expectReread(opener);
  });
});

describe('a closed channel', () => {
  it.each<CloseReason>([
    { kind: 'cooperative', transaction: new Uint8Array(80).fill(5) },
    { kind: 'holderForceClosed' },
    { kind: 'violation', message: 'a reason' },
    { kind: 'counterpartyError', message: 'another' },
    { kind: 'counterpartyForceClosed' },
    { kind: 'stale' },
    { kind: 'fundingTimedOut' },
    { kind: 'fundingInvalid', message: 'a third' },
    { kind: 'fundingReplaced' },
    { kind: 'counterpartyLostState' },
    { kind: 'channelBehind' },
    { kind: 'monitorBehind' },
  ])('is read as it was written: $kind', (reason) => {
    const { params } = openPair().opener.state;
    const fundingTransaction = Uint8Array.of(1, 2, 3);
    const unseen = { kind: 'unconfirmed', transaction: fundingTransaction } as const;
    for (const unseenFunding of [
      undefined,
      { ...unseen, forgetAtHeight: 2216 },
      { ...unseen, forgetAtHeight: undefined },
      { ...unseen, forgetAtHeight: undefined, conflict: { txid: new Uint8Array(32).fill(3), height: 300 } },
    ]) {
      const closed = { kind: 'closed', params, reason, holderMsat: msat(12_345n), unseenFunding } as const;
      expect(decodeClosedChannel(encodeClosedChannel(closed), { params, fundingTransaction })).toEqual(closed);
    }
  });
});

describe('records of version 1', () => {
  const params = decodeParameters(fromHex(fixture.params));

  it('are still read, and written again the same', () => {
    expect(toHex(encodeParameters(params))).toBe(fixture.params);
    const parts = { params, onionOf: () => new Uint8Array(1366), fundingTransaction: new Uint8Array(0) };
    const { channel, signer } = decodeOpenChannel(fromHex(fixture.open), parts);
    expect(toHex(encodeOpenChannel(channel, signer))).toBe(fixture.open);
    expect(channel.commitments).toMatchObject({
      holderCommit: { number: fixture.holderNumber },
      counterpartyNext: { kind: 'awaitingRevocation' },
      nextHolderHtlcId: BigInt(fixture.nextHolderHtlcId),
    });
    const closed = decodeClosedChannel(fromHex(fixture.closed), { params, fundingTransaction: new Uint8Array(0) });
    expect(closed).toMatchObject({ reason: { kind: 'counterpartyError', message: 'gone' }, holderMsat: 599_000_000n });
    expect(toHex(encodeClosedChannel(closed))).toBe(fixture.closed);
  });

  it('of a later version are refused by their number', () => {
    const later = fromHex(fixture.closed.replace(/^000101/, '000102'));
    expect(() => decodeClosedChannel(later, { params, fundingTransaction: new Uint8Array(0) })).toThrow(
      expect.objectContaining({ code: 'RecordTooNew' }),
    );
  });
});

it('parameters with a salt of their own are refused by a program that knows of none', () => {
  const params = decodeParameters(fromHex(fixture.params));
  const salted = { ...params, commitmentSalt: new Uint8Array(32).fill(7) };
  expect(decodeParameters(encodeParameters(salted))).toEqual(salted);
  // The version comes first: what an older program knows is 1.
  expect([encodeParameters(params), encodeParameters(salted)].map(([, , version]) => version)).toEqual([1, 2]);
});
