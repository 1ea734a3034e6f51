import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { TransportKeys } from '../../../worker/engine/peer/noise.ts';
import { NoiseTransport } from '../../../worker/engine/peer/noise-transport.ts';
import { pseudoRandomBytes } from '../wire/arbitrary.ts';
import { FUZZ_RUNS } from '../wire/fuzz.ts';
import vector from '../../vectors/bolt08-messages.json' with { type: 'json' };

const keys: TransportKeys = {
  sendingKey: fromHex(vector.sendingKey),
  receivingKey: fromHex(vector.receivingKey),
  chainingKey: fromHex(vector.chainingKey),
};
const mirrored: TransportKeys = { ...keys, sendingKey: keys.receivingKey, receivingKey: keys.sendingKey };

function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let start = 0, i = 0; start < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

describe('BOLT 8 messages', () => {
  const sender = new NoiseTransport(keys);
  const frames = Array.from({ length: vector.messages }, () => sender.seal(fromHex(vector.plaintext)));

  it.each(vector.outputs)('message $index', ({ index, bytes }) => {
    expect(toHex(frames[index] ?? new Uint8Array())).toBe(bytes);
  });

  it('are read back across both rotations', () => {
    const { messages, broken } = new NoiseTransport(mirrored).push(concat(...frames));
    expect(broken).toBeUndefined();
    expect(messages.map(toHex)).toEqual(frames.map(() => vector.plaintext));
  });
});

describe('frame reader', () => {
  const message = fc.tuple(fc.nat(), fc.nat({ max: 300 })).map(([seed, length]) => pseudoRandomBytes(seed, length));
  const someMessages = fc.array(message, { minLength: 1, maxLength: 8 });
  const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 });
  const numRuns = Math.ceil(FUZZ_RUNS / 100);

  it('puts messages together however they are cut', () => {
    fc.assert(
      fc.property(someMessages, sizes, (messages, chunkSizes) => {
        const sender = new NoiseTransport(keys);
        const reader = new NoiseTransport(mirrored);
        const stream = concat(...messages.map((each) => sender.seal(each)));
        const received = [...cut(stream, chunkSizes)].flatMap((chunk) => reader.push(chunk).messages);
        expect(received.map(toHex)).toEqual(messages.map(toHex));
      }),
      { numRuns },
    );
  });

  it('keeps what came before a changed byte, and nothing after it', () => {
    fc.assert(
      fc.property(someMessages, sizes, fc.nat(), (messages, chunkSizes, seed) => {
        const sender = new NoiseTransport(keys);
        const reader = new NoiseTransport(mirrored);
        const frames = messages.map((each) => sender.seal(each));
        const stream = concat(...frames);
        const at = seed % stream.length;
        stream[at] = (stream[at] ?? 0) ^ 0x40;
        const results = [...cut(stream, chunkSizes)].map((chunk) => reader.push(chunk));
        const ends = frames.map((_, i) => concat(...frames.slice(0, i + 1)).length);
        const intact = messages.slice(0, ends.filter((end) => end <= at).length);
        expect(results.flatMap((result) => result.messages).map(toHex)).toEqual(intact.map(toHex));
        expect(results.at(-1)?.broken?.code).toBe('BadMac');
        expect(reader.push(sender.seal(new Uint8Array(3))).messages).toEqual([]);
      }),
      { numRuns },
    );
  });

  it('never throws on noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), sizes, (noise, chunkSizes) => {
        const reader = new NoiseTransport(keys);
        for (const chunk of cut(noise, chunkSizes)) expect(reader.push(chunk).messages).toEqual([]);
        expect(reader.push(new Uint8Array(0)).broken?.code).toBe(noise.length >= 18 ? 'BadMac' : undefined);
      }),
      { numRuns },
    );
  });

  it('carries the longest message and the empty one', () => {
    const sender = new NoiseTransport(keys);
    const longest = pseudoRandomBytes(1, 65_535);
    const stream = concat(sender.seal(longest), sender.seal(new Uint8Array(0)));
    expect(new NoiseTransport(mirrored).push(stream).messages).toEqual([longest, new Uint8Array(0)]);
    expect(() => sender.seal(new Uint8Array(65_536))).toThrow('message fits a frame');
  });
});
