import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../../worker/engine/primitives/bytes.ts';
import { bolt1Messages } from '../../../worker/engine/wire/messages/bolt1.ts';
import { bolt2ChannelMessages } from '../../../worker/engine/wire/messages/bolt2-channel.ts';
import { bolt2InteractiveMessages } from '../../../worker/engine/wire/messages/bolt2-interactive.ts';
import { bolt4Messages } from '../../../worker/engine/wire/messages/bolt4.ts';
import { bolt7Messages } from '../../../worker/engine/wire/messages/bolt7.ts';
import type { DecodeResult, Message, MessageKind } from '../../../worker/engine/wire/message.ts';
import { decodeMessage, encodeMessage, messageDefinitions } from '../../../worker/engine/wire/message.ts';
import { WireError } from '../../../worker/engine/wire/wire-error.ts';
import { messageOf } from './arbitrary.ts';
import { CORRUPTIONS, FUZZ_RUNS, corruptions } from './fuzz.ts';

const families = { bolt1Messages, bolt2ChannelMessages, bolt2InteractiveMessages, bolt4Messages, bolt7Messages };

const messageOrError = (bytes: Uint8Array): DecodeResult | WireError => {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
};

/** Bytes, elements and keys of a decoded value: what it costs to hold it. */
function weight(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) return value.reduce((sum: number, element) => sum + 1 + weight(element), 0);
  return typeof value === 'object' && value !== null ? weight(Object.values(value)) : 1;
}

function expectSound(bytes: Uint8Array): void {
  const result = messageOrError(bytes);
  if (result instanceof WireError) return;
  if (weight(result) > 100 + 2 * bytes.length) throw new Error('the value is much larger than its bytes');
  if (result.kind === 'unknown') return;
  const again = encodeMessage(result);
  const second = decodeMessage(again);
  if (second.kind === 'unknown' || !equalBytes(encodeMessage(second), again)) throw new Error('decoding is not stable');
}

function withOneFieldOf(message: Message, other: Message, index: number): Message {
  const names = Object.keys(message).filter((name) => name !== 'kind');
  const name = names[index % names.length] ?? 'tlvs';
  return { ...message, [name]: (other as unknown as Record<string, unknown>)[name] } as Message;
}

describe.each(Object.entries(families))('decoders of %s', (_, family) => {
  const kinds = Object.keys(family) as MessageKind[];
  const numRuns = Math.ceil(FUZZ_RUNS / kinds.length / (CORRUPTIONS + 2));

  it.each(kinds)('%s: valid, one field changed, corrupted', (kind) => {
    fc.assert(
      fc.property(messageOf(kind), messageOf(kind), fc.nat(), (message, other, seed) => {
        for (const valid of [message, withOneFieldOf(message, other, seed)]) {
          const decoded = decodeMessage(encodeMessage(valid));
          if (decoded.kind !== kind || !equalBytes(encodeMessage(decoded), encodeMessage(valid)))
            throw new Error('round trip');
        }
        corruptions(encodeMessage(message), encodeMessage(other), seed).forEach(expectSound);
      }),
      { numRuns },
    );
  });

  it.each(kinds)('%s: decodes to what was encoded', (kind) => {
    fc.assert(
      fc.property(messageOf(kind), (message) => {
        expect(decodeMessage(encodeMessage(message))).toEqual(message);
      }),
      { numRuns: 20 },
    );
  });
});

describe('bytes that are no message', () => {
  it('give a value or a WireError', () => {
    const types = Object.values(messageDefinitions).map((definition) => definition.type);
    const anything = fc.tuple(fc.constantFrom(...types), fc.uint8Array({ maxLength: 300 }));
    fc.assert(
      fc.property(anything, ([type, rest]) => expectSound(Uint8Array.of(type >> 8, type & 0xff, ...rest))),
      { numRuns: Math.ceil(FUZZ_RUNS / 20) },
    );
  });
});
