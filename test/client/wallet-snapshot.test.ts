import { describe, expect, it } from 'vitest';
import { channelSummary } from '../../worker/client/wallet-snapshot.ts';
import type { ChannelState } from '../../worker/engine/channel/channel-state.ts';
import { newEntry, type ChannelEntry } from '../../worker/engine/manager/channel-entry.ts';
import { openPair } from '../engine/channel/party.ts';

const { opener, fundee } = openPair();
const { params } = fundee.state;
const manager = {
  blockHeight: 102,
  mayForceClose: () => true,
  isSetApart: () => false,
  isCopy: () => false,
  closing: () => undefined,
};

const entryOf = (state: ChannelState, frozen?: string): ChannelEntry => ({
  ...newEntry({ key: 'aa', nodeId: '02', signer: fundee.signer, state, connection: 'connected' }),
  frozen,
});

const closed: ChannelState = {
  kind: 'closed',
  params,
  reason: { kind: 'counterpartyForceClosed' },
  holderMsat: fundee.state.commitments.holderCommit.spec.toHolderMsat,
  unseenFunding: undefined,
};

describe('the summary of a channel', () => {
  it.each([
    [1, 3, 3],
    [0, 3, 100],
    [0, 0, 0],
  ])(
    'whose funding is at place %i of a block, with %i agreed, waits for %i',
    (transactionIndex, minimumDepth, required) => {
      const funding = { kind: 'confirmed', height: 100, transactionIndex, transaction: new Uint8Array(0) } as const;
      const state = { ...fundee.state, funding, params: { ...params, minimumDepth } };
      expect(channelSummary(entryOf(state), manager)).toMatchObject({
        confirmations: 3,
        confirmationsRequired: required,
        usable: required <= 3,
      });
    },
  );

  it('that an error stopped says what to do, and not what the error was', () => {
    const { state, reason, forceClosable } = channelSummary(entryOf(opener.state, 'invariant broken: x'), manager);
    expect([state, forceClosable]).toEqual(['frozen', true]);
    expect(reason).toMatch(/Reload the page.*close it alone/);
    expect(reason).not.toContain('invariant');
  });

  it('that was closed says why, also where an error stopped it', () => {
    expect(channelSummary(entryOf(closed), manager).reason).toBe('Closed by the peer alone.');
    const stopped = channelSummary(entryOf(closed, 'invariant broken: x'), manager);
    expect(stopped.reason).toMatch(/^Closed by the peer alone\. An error .*Reload the page\.$/);
  });

  it('whose peer leaves over it says when it is tried again', () => {
    const apart = { ...manager, isSetApart: () => true };
    expect(channelSummary(entryOf(opener.state), apart).reason).toMatch(/tried again with the next block/);
  });

  it('of a database that was put back says that it does not close itself', () => {
    const copied = { ...manager, isCopy: () => true };
    expect(channelSummary(entryOf(opener.state), copied).reason).toMatch(/older than what this device had last/);
  });

  it.each([
    [{ kind: 'seen' }, undefined],
    [{ kind: 'unseen' }, /no other has seen it yet/],
    [{ kind: 'refused', refusal: { kind: 'rejected', reason: 'feeTooLow', words: '' }, lasting: true }, /fee is below/],
    [{ kind: 'refused', refusal: { kind: 'rejected', reason: 'conflict', words: '' }, lasting: false }, /tried again/],
  ] as const)('says what servers make of its funding: %o', (standing, words) => {
    const { reason } = channelSummary(entryOf(opener.state), manager, standing);
    if (words === undefined) expect(reason).toBeUndefined();
    else expect(reason).toMatch(words);
  });
});
