import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { Codec, WireFields } from '../../../worker/engine/wire/codec.ts';
import { decode, encode } from '../../../worker/engine/wire/codec.ts';
import { codecOf } from '../../../worker/engine/wire/schema-codec.ts';
import { formatShortChannelId } from '../../../worker/engine/wire/short-channel-id.ts';
import { WireError } from '../../../worker/engine/wire/wire-error.ts';
import bigsizes from '../../vectors/bolt01-bigsize.json' with { type: 'json' };
import integers from '../../vectors/bolt01-integers.json' with { type: 'json' };
import tlv from '../../vectors/bolt01-tlv.json' with { type: 'json' };

const bigsize = codecOf('bigsize');

function faultOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof WireError) return error.reason;
    throw error;
  }
  return 'none';
}

describe('bigsize', () => {
  it.each(bigsizes.decoding)('decodes $name', ({ bytes, value, reason }) => {
    const attempt = () => decode(bigsize, fromHex(bytes));
    if (value === undefined) expect(faultOf(attempt)).toBe(reason);
    else expect(attempt()).toBe(BigInt(value));
  });

  it.each(bigsizes.encoding)('encodes $name', ({ value, bytes }) => {
    expect(toHex(encode(bigsize, BigInt(value)))).toBe(bytes);
  });
});

describe('integers', () => {
  it.each(integers.s64)('s64 $value', ({ value, bytes }) => {
    expect(decode(codecOf('s64'), fromHex(bytes))).toBe(BigInt(value));
    expect(toHex(encode(codecOf('s64'), BigInt(value)))).toBe(bytes);
  });

  it.each(integers.tu64)('tu64 $bytes', ({ bytes, value, valid }) => {
    const attempt = () => decode(codecOf('tu64'), fromHex(bytes));
    if (!valid || value === undefined) return expect(attempt).toThrow(WireError);
    expect(attempt()).toBe(BigInt(value));
    expect(toHex(encode(codecOf('tu64'), BigInt(value)))).toBe(bytes);
  });

  it('refuses to write what a field cannot hold', () => {
    expect(() => encode(codecOf('tu16'), 0x1_0000)).toThrow('truncated integer in range');
    expect(() => encode(codecOf('u64'), -1n)).toThrow('u64 in range');
    expect(() => encode(codecOf('s64'), 1n << 63n)).toThrow('s64 in range');
    expect(() => encode(codecOf('point'), new Uint8Array(33))).toThrow('point is compressed');
  });
});

describe('counted elements', () => {
  it('have their count in one byte where the schema says so', () => {
    const codec = codecOf({ kind: 'counted', of: 'u16', countedBy: 'u8' });
    expect(toHex(encode(codec, [1, 2]))).toBe('0200010002');
    expect(decode(codec, fromHex('0200010002'))).toEqual([1, 2]);
    expect(() => decode(codec, fromHex('ff0001'))).toThrow(WireError);
    expect(() => encode(codec, Array<number>(256).fill(0))).toThrow('u8 in range');
  });
});

describe('an end of a channel or a node', () => {
  const codec = codecOf('sciddirOrPubkey');

  it.each(['00' + '11'.repeat(8), '01' + '22'.repeat(8), '02' + '33'.repeat(32), '03' + '44'.repeat(32)])(
    '%s',
    (hex) => {
      expect(toHex(encode(codec, decode(codec, fromHex(hex))))).toBe(hex);
    },
  );

  it.each(['', '00' + '11'.repeat(7), '02' + '33'.repeat(31), '04' + '33'.repeat(32)])('is not "%s"', (hex) => {
    expect(() => decode(codec, fromHex(hex))).toThrow(WireError);
  });

  it.each(['00' + '11'.repeat(9), '02' + '33'.repeat(31), '04' + '33'.repeat(32), ''])(
    'is never written as "%s"',
    (hex) => {
      expect(() => encode(codec, fromHex(hex))).toThrow('a point or an end of a channel');
    },
  );
});

describe('TLV streams', () => {
  const n1 = codecOf({
    kind: 'tlvs',
    records: {
      tlv1: [1, { kind: 'struct', fields: { amount_msat: 'tu64' } }],
      tlv2: [2, { kind: 'struct', fields: { scid: 'shortChannelId' } }],
      tlv3: [3, { kind: 'struct', fields: { node_id: 'point', amount_msat_1: 'u64', amount_msat_2: 'u64' } }],
      tlv4: [254, { kind: 'struct', fields: { cltv_delta: 'u16' } }],
    },
  });
  const n2 = codecOf({ kind: 'tlvs', records: { tlv1: [0, 'tu64'], tlv2: [11, 'tu32'] } });
  const namespaces = (name: string): readonly Codec<WireFields>[] =>
    (name === 'n1' ? [n1] : name === 'n2' ? [n2] : [n1, n2]) as Codec<WireFields>[];

  const printed = (name: string, value: unknown): string => {
    if (value instanceof Uint8Array) return toHex(value);
    return name === 'scid' ? formatShortChannelId(value as bigint) : String(value);
  };

  it.each([...tlv.failures, ...tlv.streamFailures])('$namespace refuses $stream: $name', ({ namespace, stream }) => {
    for (const codec of namespaces(namespace)) expect(() => decode(codec, fromHex(stream))).toThrow(WireError);
  });

  it.each(tlv.failures)('$namespace refuses $stream after a valid record too', ({ namespace, stream }) => {
    for (const codec of namespaces(namespace))
      expect(() => decode(codec, concat(fromHex(codec === n2 ? '00020100' : '01020100'), fromHex(stream)))).toThrow(
        WireError,
      );
  });

  it.each(tlv.successes)('$namespace accepts "$stream"', ({ namespace, stream, record, values }) => {
    for (const codec of namespaces(namespace)) {
      const decoded = decode(codec, fromHex(stream));
      if (record === undefined) return expect(decoded).toEqual({});
      const fields = Object.entries(decoded[record] as WireFields).map(([name, value]) => [name, printed(name, value)]);
      expect(Object.fromEntries(fields)).toEqual(values);
      expect(toHex(encode(codec, decoded))).toBe(stream);
    }
  });

  it('joins streams in order', () => {
    const stream = fromHex('0101012108' + '00'.repeat(8) + 'fd00fe020226');
    expect(decode(n1, stream)).toEqual({ tlv1: { amount_msat: 1n }, tlv4: { cltv_delta: 550 } });
  });

  it('writes records by type, whatever the order of the declaration', () => {
    const codec = codecOf({ kind: 'tlvs', records: { late: [300, 'u8'], early: [1, 'flag'] } });
    expect(toHex(encode(codec, { late: 7, early: true }))).toBe('0100fd012c0107');
    expect(decode(codec, fromHex('0100fd012c0107'))).toEqual({ late: 7, early: true });
  });
});
