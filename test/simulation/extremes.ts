import { concat } from '../../worker/engine/primitives/bytes.ts';
import type { WireFields, WireValue } from '../../worker/engine/wire/codec.ts';
import type { Primitive, Schema } from '../../worker/engine/wire/schema.ts';
import { pick, randomBytes, type Random } from './random.ts';

/** What a value may be changed to. */
export const EXTREMES = ['zero', 'one', 'max', 'plusOne', 'minusOne', 'random', 'remembered', 'otherChannel'] as const;
export type Extreme = (typeof EXTREMES)[number];

/** What a wrong peer knows to say. */
export interface Vocabulary {
  /** Values of the same type that were said before. */
  readonly remembered: (schema: Schema) => readonly WireValue[];
  /** Ids of channels, its own and others'. */
  readonly channelIds: readonly Uint8Array[];
}

/** Bytes and elements of what has no length of its own: many, and together still a message. */
const MOST_BYTES = 30_000;
const MOST_ELEMENTS = 400;

/** Another value of a schema. */
export function extremeOf(
  schema: Schema,
  before: WireValue | undefined,
  to: Extreme,
  random: Random,
  vocabulary: Vocabulary,
): WireValue {
  if (to === 'otherChannel' && lengthOf(schema) === 32)
    return pick(random, vocabulary.channelIds) ?? new Uint8Array(32);
  if (to === 'remembered' || to === 'otherChannel') {
    const remembered = pick(random, vocabulary.remembered(schema));
    return remembered ?? extremeOf(schema, before, 'random', random, vocabulary);
  }
  if (schema === 'flag') return true;
  const bits = typeof schema === 'string' ? BITS[schema] : undefined;
  if (bits !== undefined) return integer(bits, schema === 's64', before, to, random);
  const length = lengthOf(schema);
  if (length !== undefined) return ofLength(schema, length, before, to, random);
  if (typeof schema === 'string') return anyLength(before as Uint8Array | undefined, to, random);
  return composed(schema, before, to, random, vocabulary);
}

/** A value made of nothing but a schema: mostly something that was said before. */
export function valueOf(schema: Schema, random: Random, vocabulary: Vocabulary): WireValue {
  if (typeof schema === 'string' || schema.kind === 'fixed') {
    const to = random(10) < 6 ? 'remembered' : (pick(random, EXTREMES) ?? 'random');
    return extremeOf(schema, undefined, to, random, vocabulary);
  }
  switch (schema.kind) {
    case 'counted':
    case 'rest':
      return Array.from({ length: random(3) }, () => valueOf(schema.of, random, vocabulary));
    case 'times':
      return Array.from({ length: schema.count }, () => valueOf(schema.of, random, vocabulary));
    case 'struct':
      return Object.fromEntries(
        Object.entries(schema.fields).map(([name, field]) => [name, valueOf(field, random, vocabulary)]),
      );
    case 'tlvs': {
      const present = Object.entries(schema.records).filter(() => random(2) === 0);
      return Object.fromEntries(
        present.map(([name, [, content]]) => [name, valueOf(content, random, vocabulary)]),
      ) as WireFields;
    }
    default:
      return schema satisfies never;
  }
}

const BITS: { readonly [P in Primitive]?: number } = {
  u8: 8,
  u16: 16,
  u32: 32,
  u64: 64,
  s64: 64,
  tu16: 16,
  tu32: 32,
  tu64: 64,
  bigsize: 64,
  shortChannelId: 64,
};

const LENGTHS: { readonly [P in Primitive]?: number } = {
  chainHash: 32,
  channelId: 32,
  sha256: 32,
  point: 33,
  signature: 64,
};

/** Bytes of a schema that always has as many. */
export const lengthOf = (schema: Schema): number | undefined => {
  if (typeof schema === 'string') return LENGTHS[schema];
  return schema.kind === 'fixed' ? schema.length : undefined;
};

type Arithmetic = Exclude<Extreme, 'remembered' | 'otherChannel'>;

function integer(
  bits: number,
  signed: boolean,
  before: WireValue | undefined,
  to: Arithmetic,
  random: Random,
): WireValue {
  const old = typeof before === 'bigint' || typeof before === 'number' ? BigInt(before) : 0n;
  const values = {
    zero: 0n,
    one: 1n,
    max: -1n,
    plusOne: old + 1n,
    minusOne: old - 1n,
    random: BigInt(random(0xffff_ffff)) << BigInt(random(bits)),
  } as const;
  if (signed) return BigInt.asIntN(bits, values[to]);
  const value = BigInt.asUintN(bits, values[to]);
  return bits <= 32 ? Number(value) : value;
}

function ofLength(
  schema: Schema,
  length: number,
  before: WireValue | undefined,
  to: Arithmetic,
  random: Random,
): Uint8Array {
  const old = before instanceof Uint8Array ? before : new Uint8Array(length);
  const bytes = {
    zero: () => new Uint8Array(length),
    one: () => withLast(new Uint8Array(length), 1),
    max: () => new Uint8Array(length).fill(0xff),
    plusOne: () => withLast(old, 1),
    minusOne: () => withLast(old, -1),
    random: () => randomBytes(random, length),
  }[to]();
  // No other first byte can be encoded; the decoders' own tests send those.
  if (schema === 'point') bytes[0] = 2 + ((bytes[0] ?? 0) & 1 & random(2));
  return bytes;
}

function withLast(bytes: Uint8Array, plus: number): Uint8Array {
  const changed = bytes.slice();
  changed[changed.length - 1] = (changed.at(-1) ?? 0) + plus;
  return changed;
}

function anyLength(before: Uint8Array = new Uint8Array(0), to: Arithmetic, random: Random): Uint8Array {
  return {
    zero: () => new Uint8Array(0),
    one: () => Uint8Array.of(1),
    max: () => new Uint8Array(MOST_BYTES).fill(0xff),
    plusOne: () => concat(before, Uint8Array.of(0)),
    minusOne: () => before.subarray(0, -1),
    random: () => randomBytes(random, random(100)),
  }[to]();
}

function composed(
  schema: Exclude<Schema, Primitive>,
  before: WireValue | undefined,
  to: Arithmetic,
  random: Random,
  vocabulary: Vocabulary,
): WireValue {
  if ((schema.kind !== 'counted' && schema.kind !== 'rest') || to === 'random')
    return valueOf(schema, random, vocabulary);
  const old = Array.isArray(before) ? (before as readonly WireValue[]) : [];
  const one = old[0] ?? valueOf(schema.of, random, vocabulary);
  return {
    zero: [],
    one: [one],
    max: Array.from({ length: MOST_ELEMENTS }, () => one),
    plusOne: [...old, one],
    minusOne: old.slice(0, -1),
  }[to];
}
