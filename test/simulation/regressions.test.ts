import { describe, expect, it } from 'vitest';
import type { Command } from './commands.ts';
import { simulate } from './run.ts';
import type { StartName } from './starts.ts';

/** The shortest runs that once broke a promise. */
const regressions: Readonly<Record<string, { readonly start: StartName; readonly commands: readonly Command[] }>> = {
  'a peer that is back before its lost connection is noticed repeats what it had not signed': {
    start: 'wide',
    commands: [
      { kind: 'pump' },
      { kind: 'pay', from: 'a', amount: { kind: 'msat', msat: 1n }, times: 1 },
      { kind: 'complete', side: 'a', count: 1 },
      { kind: 'deliver', to: 'b', count: 1 },
      { kind: 'replaceConnection', late: 'b' },
      { kind: 'pump' },
    ],
  },
  'a close between the two channel_reestablish waits for the repeated update_add_htlc': {
    start: 'wide',
    commands: [
      { kind: 'pump' },
      { kind: 'pay', from: 'b', amount: { kind: 'share', sixteenths: 1, plusMsat: 0n }, times: 1 },
      { kind: 'crash', side: 'a', written: false },
      { kind: 'connect' },
      { kind: 'close', side: 'b' },
      { kind: 'complete', side: 'a', count: 1 },
    ],
  },
  'what was failed back is spent at once, before it is back in the commitment of the other side': {
    start: 'pair',
    commands: [
      { kind: 'complete', side: 'a', count: 1 },
      { kind: 'deliver', to: 'b', count: 2 },
      { kind: 'pay', from: 'b', amount: { kind: 'share', sixteenths: 15, plusMsat: 0n }, times: 1 },
      { kind: 'complete', side: 'b', count: 1 },
      { kind: 'deliver', to: 'a', count: 1 },
      { kind: 'complete', side: 'b', count: 1 },
      { kind: 'deliver', to: 'a', count: 7 },
      { kind: 'complete', side: 'a', count: 1 },
      { kind: 'pay', from: 'a', amount: { kind: 'share', sixteenths: 1, plusMsat: 0n }, times: 1 },
      { kind: 'complete', side: 'a', count: 1 },
      { kind: 'deliver', to: 'b', count: 4 },
      { kind: 'pay', from: 'a', amount: { kind: 'msat', msat: 3_779_391n }, times: 1 },
      { kind: 'complete', side: 'b', count: 1 },
      { kind: 'deliver', to: 'b', count: 2 },
      { kind: 'complete', side: 'b', count: 1 },
      { kind: 'deliver', to: 'a', count: 1 },
      { kind: 'complete', side: 'b', count: 1 },
      { kind: 'deliver', to: 'a', count: 1 },
      { kind: 'pay', from: 'a', amount: { kind: 'share', sixteenths: 7, plusMsat: 0n }, times: 1 },
      { kind: 'complete', side: 'a', count: 1 },
    ],
  },
  'HTLCs that need a lower feerate are repeated with it': {
    start: 'wide',
    commands: [
      { kind: 'pump' },
      { kind: 'feerate', side: 'a', commitment: 40_000, closing: 253 },
      { kind: 'pay', from: 'a', amount: { kind: 'share', sixteenths: 2, plusMsat: 0n }, times: 1 },
      { kind: 'pay', from: 'a', amount: { kind: 'share', sixteenths: 13, plusMsat: 0n }, times: 1 },
      { kind: 'feerate', side: 'a', commitment: 253, closing: 253 },
      { kind: 'pay', from: 'a', amount: { kind: 'share', sixteenths: 10, plusMsat: 0n }, times: 1 },
      { kind: 'pay', from: 'a', amount: { kind: 'msat', msat: 1_057_000n }, times: 1 },
      { kind: 'crash', side: 'b', written: false },
      { kind: 'deliver', to: 'a', count: 1 },
    ],
  },
  'an HTLC that is repeated after HTLCs of the other side came between is taken, and the reserve pays for it': {
    start: 'wide',
    commands: [
      { kind: 'complete', side: 'a', count: 1 },
      { kind: 'deliver', to: 'b', count: 1 },
      { kind: 'pay', from: 'b', amount: { kind: 'msat', msat: 1n }, times: 1 },
      { kind: 'complete', side: 'b', count: 4 },
      { kind: 'deliver', to: 'a', count: 1 },
      { kind: 'deliver', to: 'a', count: 1 },
      { kind: 'deliver', to: 'a', count: 1 },
      { kind: 'pay', from: 'b', amount: { kind: 'share', sixteenths: 1, plusMsat: 0n }, times: 1 },
      { kind: 'pay', from: 'b', amount: { kind: 'share', sixteenths: 1, plusMsat: 0n }, times: 7 },
      { kind: 'deliver', to: 'a', count: 1 },
      { kind: 'complete', side: 'a', count: 1 },
      { kind: 'pay', from: 'a', amount: { kind: 'share', sixteenths: 16, plusMsat: 0n }, times: 1 },
      { kind: 'complete', side: 'a', count: 1 },
      { kind: 'complete', side: 'b', count: 1 },
      { kind: 'deliver', to: 'b', count: 1 },
      { kind: 'deliver', to: 'a', count: 1 },
      { kind: 'deliver', to: 'b', count: 1 },
      { kind: 'complete', side: 'b', count: 4 },
      { kind: 'deliver', to: 'a', count: 4 },
      { kind: 'deliver', to: 'a', count: 4 },
      { kind: 'complete', side: 'a', count: 4 },
      { kind: 'deliver', to: 'b', count: 1 },
      { kind: 'complete', side: 'b', count: 4 },
      { kind: 'deliver', to: 'a', count: 1 },
      { kind: 'disconnect' },
    ],
  },
};

describe('what once went wrong', () => {
  it.each(Object.entries(regressions))('%s', async (_name, { start, commands }) => {
    const world = await simulate({ start, crypto: 'fake', commands });
    expect(world.problems).toEqual([]);
  });
});
