import { assert } from '../primitives/errors.ts';
import type { Codec, WireFields, WireValue } from './codec.ts';
import { encode } from './codec.ts';
import { fixed, primitiveCodecs } from './primitive-codecs.ts';
import type { ByteReader } from './reader.ts';
import { forEachRecord, refuseEven, writeRecord } from './records.ts';
import type { Fields, Records, Schema, ValueOf } from './schema.ts';

/** The codec of a schema. Build it once and keep it. */
export const codecOf = <const S extends Schema>(schema: S): Codec<ValueOf<S>> => compile(schema) as Codec<ValueOf<S>>;

/** Fields one after the other. */
export function structCodec(fields: Fields): Codec<WireFields> {
  const codecs = Object.entries(fields).map(([name, schema]) => ({ name, codec: compile(schema) }));
  return {
    read: (reader) => Object.fromEntries(codecs.map(({ name, codec }) => [name, codec.read(reader)])),
    write: (writer, value) => {
      for (const { name, codec } of codecs) {
        const field = value[name];
        assert(field !== undefined, `field ${name} is given`);
        codec.write(writer, field);
      }
    },
  };
}

/** Reads a TLV stream to the end of the reader; unknown odd records are dropped (BOLT 1, Type-Length-Value Format). */
export function tlvCodec(records: Records): Codec<WireFields> {
  const known = Object.entries(records)
    .map(([name, [type, content]]) => ({ name, type: BigInt(type), codec: compile(content) }))
    .sort((a, b) => (a.type < b.type ? -1 : 1));
  const byType = new Map(known.map((record) => [record.type, record]));
  return {
    read: (reader) => {
      const values: { [name: string]: WireValue } = {};
      forEachRecord(reader, (type, content) => {
        const record = byType.get(type);
        if (record === undefined) return refuseEven(type);
        values[record.name] = record.codec.read(content);
        content.end();
      });
      return values;
    },
    write: (writer, value) => {
      for (const { name, type, codec } of known) {
        const field = value[name];
        if (field !== undefined) writeRecord(writer, type, encode(codec, field));
      }
    },
  };
}

function compile(schema: Schema): Codec<WireValue> {
  if (typeof schema === 'string') return primitiveCodecs[schema];
  switch (schema.kind) {
    case 'fixed':
      return fixed(schema.length);
    case 'counted':
      return counted(primitiveCodecs[schema.countedBy ?? 'u16'], compile(schema.of));
    case 'times':
      return times(schema.count, compile(schema.of));
    case 'rest':
      return rest(compile(schema.of));
    case 'struct':
      return structCodec(schema.fields);
    case 'tlvs':
      return tlvCodec(schema.records);
  }
  return schema satisfies never;
}

function counted(count: Codec<number>, element: Codec<WireValue>): Codec<readonly WireValue[]> {
  return {
    // No element is empty, so the bytes at hand bound the array whatever the count claims.
    read: (reader) => readMany(element, reader, count.read(reader)),
    write: (writer, values) => {
      count.write(writer, values.length);
      for (const value of values) element.write(writer, value);
    },
  };
}

function times(count: number, element: Codec<WireValue>): Codec<readonly WireValue[]> {
  return {
    read: (reader) => readMany(element, reader, count),
    write: (writer, values) => {
      assert(values.length === count, `${count} elements, not ${values.length}`);
      for (const value of values) element.write(writer, value);
    },
  };
}

function rest(element: Codec<WireValue>): Codec<readonly WireValue[]> {
  return {
    read: (reader) => {
      const values: WireValue[] = [];
      for (let before = reader.remaining; before > 0; before = reader.remaining) {
        values.push(element.read(reader));
        assert(reader.remaining < before, 'no element is empty');
      }
      return values;
    },
    write: (writer, values) => {
      for (const value of values) element.write(writer, value);
    },
  };
}

function readMany(element: Codec<WireValue>, reader: ByteReader, count: number): readonly WireValue[] {
  const values: WireValue[] = [];
  for (let i = 0; i < count; i++) values.push(element.read(reader));
  return values;
}
