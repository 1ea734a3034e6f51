import { describe, expect, it } from 'vitest';
import {
  decodeMessage,
  encodeMessage,
  messageDefinitions,
  type MessageKind,
} from '../../worker/engine/wire/message.ts';
import { EXTREMES, type Vocabulary } from './extremes.ts';
import { fieldsOf } from './fields.ts';
import { changed, madeUp } from './tampering.ts';

const SILENT: Vocabulary = { remembered: () => [], channelIds: [new Uint8Array(32).fill(5)] };

const KINDS = Object.keys(messageDefinitions) as MessageKind[];

describe.each(KINDS)('what a wrong peer makes of %s', (kind) => {
  it('is a message, whichever place of it is changed to whichever extreme', () => {
    for (const seed of [1, 2, 3]) {
      const message = madeUp(kind, seed, SILENT);
      for (let field = 0; field < fieldsOf(message).length; field++)
        for (const to of EXTREMES) {
          const tampered = changed(message, { kind: 'change', field, to, seed }, SILENT);
          expect(decodeMessage(encodeMessage(tampered)).kind).toBe(kind);
        }
    }
  });
});

describe('a change', () => {
  const change = (field: number, to: (typeof EXTREMES)[number]) =>
    changed(
      { kind: 'update_fee', channelId: new Uint8Array(32), feeratePerKw: 1000, tlvs: {} },
      { kind: 'change', field, to, seed: 1 },
      SILENT,
    );

  it.each([
    ['zero', 0],
    ['one', 1],
    ['max', 0xffff_ffff],
    ['plusOne', 1001],
    ['minusOne', 999],
  ] as const)('to %s is what its type says', (to, feeratePerKw) => {
    expect(change(1, to)).toMatchObject({ feeratePerKw });
  });

  it('of an id may name another channel', () => {
    expect(change(0, 'otherChannel')).toMatchObject({ channelId: SILENT.channelIds[0] });
  });

  it('counts the places of a message again from the first', () => {
    expect(change(3, 'one')).toEqual(change(1, 'one'));
  });

  it('takes a record away, and puts one where there was none', () => {
    const message = { kind: 'channel_ready', channelId: new Uint8Array(32) } as const;
    const point = new Uint8Array(33).fill(2);
    const known = { ...message, secondPerCommitmentPoint: point, tlvs: { shortChannelId: 7n } };
    const without = changed(known, { kind: 'change', field: 2, to: 'zero', seed: 1 }, SILENT);
    expect(without).toMatchObject({ tlvs: { shortChannelId: undefined } });
    expect(changed(without, { kind: 'change', field: 2, to: 'one', seed: 1 }, SILENT)).toMatchObject({
      tlvs: { shortChannelId: 1n },
    });
  });
});
