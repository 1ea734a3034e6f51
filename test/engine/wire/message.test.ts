import { describe, expect, expectTypeOf, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { MessageDefinition, MessageOf } from '../../../worker/engine/wire/message.ts';
import { decodeMessage, encodeMessage, messageDefinitions } from '../../../worker/engine/wire/message.ts';
import type { Schema } from '../../../worker/engine/wire/schema.ts';
import { WireError } from '../../../worker/engine/wire/wire-error.ts';
import extension from '../../vectors/bolt01-message-extension.json' with { type: 'json' };
import table from '../../vectors/wire-messages.json' with { type: 'json' };

const camelCase = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The schema that the BOLTs' own notation stands for: `data byte[]`, `chains chain_hash...`, `alias byte*32`. */
function schemaOf(field: string): readonly [name: string, schema: Schema] {
  const [, name = '', type = '', count = ''] = /^(\w+) (\w+)(.*)$/.exec(field) ?? [];
  return [camelCase(name), repeated(type, count)];
}

function repeated(type: string, count: string): Schema {
  const times = Number(count.slice(1));
  if (type === 'byte' && count === '[]') return 'bytes';
  if (type === 'byte' && count === '...') return 'remaining';
  if (type === 'byte' && count !== '') return { kind: 'fixed', length: times };
  if (type === 'hmac4') return { kind: 'fixed', length: 4 * times };
  if (count === '') return element(type);
  if (count === '[]') return { kind: 'counted', of: element(type) };
  if (count === '...') return { kind: 'rest', of: element(type) };
  return { kind: 'times', count: times, of: element(type) };
}

function element(type: string): Schema {
  if (type === 'byte') return 'u8';
  if (type === 'witness') return 'bytes';
  if (type === 'channel_update_checksums')
    return { kind: 'struct', fields: { checksumNodeId1: 'u32', checksumNodeId2: 'u32' } };
  return camelCase(type) as Schema;
}

function contentOf(fields: readonly string[]): Schema {
  const schemas = fields.map(schemaOf);
  const [first] = schemas;
  if (first === undefined) return 'flag';
  return schemas.length === 1 ? first[1] : { kind: 'struct', fields: Object.fromEntries(schemas) };
}

describe('definitions', () => {
  it('hold exactly the messages of the BOLTs', () => {
    const types = Object.entries(messageDefinitions).map(([name, { type }]) => [type, name]);
    expect(new Map(types as [number, string][])).toEqual(new Map(table.map(({ type, name }) => [type, name])));
  });

  it.each(table)('$name has the fields and records of the BOLT', (row) => {
    const definitions: Readonly<Record<string, MessageDefinition>> = messageDefinitions;
    const definition = definitions[row.name];
    expect(Object.entries(definition?.fields ?? {})).toEqual(row.fields.map(schemaOf));
    const { inboundFees, skimmedFeeMsat, ...tlvs } = definition?.tlvs ?? {};
    const records = row.records.map(({ type, fields }) => [type, contentOf(fields)]);
    expect(Object.values(tlvs)).toEqual(records);
    const names = row.records.map(({ name }) => (name === 'blinded_path' ? 'pathKey' : camelCase(name)));
    expect(Object.keys(tlvs)).toEqual(names);
    // The two records that no BOLT has.
    expect(inboundFees !== undefined).toBe(row.name === 'channel_update');
    expect(skimmedFeeMsat !== undefined).toBe(row.name === 'update_add_htlc');
  });

  it('give their types', () => {
    expectTypeOf<MessageOf<'update_add_htlc'>>().toEqualTypeOf<{
      readonly kind: 'update_add_htlc';
      readonly channelId: Uint8Array;
      readonly id: bigint;
      readonly amountMsat: bigint;
      readonly paymentHash: Uint8Array;
      readonly cltvExpiry: number;
      readonly onionRoutingPacket: Uint8Array;
      readonly tlvs: { readonly pathKey?: Uint8Array; readonly skimmedFeeMsat?: bigint };
    }>();
    expectTypeOf<MessageOf<'commitment_signed'>['htlcSignature']>().toEqualTypeOf<readonly Uint8Array[]>();
  });
});

describe('extension of init', () => {
  it.each(extension.valid)('%s is valid', (hex) => {
    const message = decodeMessage(fromHex(hex));
    expect(message).toEqual({
      kind: 'init',
      globalfeatures: new Uint8Array(),
      features: new Uint8Array(),
      tlvs: {},
    });
  });

  it.each(extension.invalid)('$name', ({ message }) => {
    expect(() => decodeMessage(fromHex(message))).toThrow(WireError);
  });
});

describe('decodeMessage', () => {
  const errorOf = (hex: string): unknown => {
    try {
      return decodeMessage(fromHex(hex));
    } catch (error) {
      return error;
    }
  };

  it('returns an unknown odd message as such', () => {
    expect(errorOf('80010102')).toEqual({ kind: 'unknown', type: 0x8001 });
  });

  it('refuses an unknown even message', () => {
    expect(errorOf('8000')).toMatchObject({ name: 'WireError', code: 'UnknownEvenMessage', details: { type: 0x8000 } });
  });

  it('refuses what is too short for a type', () => {
    expect(errorOf('00')).toMatchObject({ code: 'MalformedMessage', reason: 'truncated' });
  });

  it('refuses a point that does not start with 2 or 3', () => {
    const message = { kind: 'channel_ready', channelId: new Uint8Array(32), tlvs: {} } as const;
    const secondPerCommitmentPoint = new Uint8Array(33).fill(2);
    const hex = toHex(encodeMessage({ ...message, secondPerCommitmentPoint }));
    expect(errorOf(hex.slice(0, 68) + '04' + hex.slice(70))).toMatchObject({ reason: 'invalidPoint' });
  });

  it('reads the fields of update_fee', () => {
    const hex = `0086${'11'.repeat(32)}000000fd`;
    expect(decodeMessage(fromHex(hex))).toEqual({
      kind: 'update_fee',
      channelId: new Uint8Array(32).fill(0x11),
      feeratePerKw: 253,
      tlvs: {},
    });
  });
});

describe('encodeMessage', () => {
  const ping = (length: number) =>
    encodeMessage({ kind: 'ping', numPongBytes: 0, ignored: new Uint8Array(length), tlvs: {} });

  it('fills a frame and no more', () => {
    expect(ping(65_529).length).toBe(65_535);
    expect(() => ping(65_530)).toThrow('fits a frame');
  });

  it('refuses values that do not fit their field', () => {
    const message = { kind: 'update_fee', channelId: new Uint8Array(32), feeratePerKw: 253, tlvs: {} } as const;
    expect(() => encodeMessage({ ...message, feeratePerKw: 2 ** 32 })).toThrow('u32 in range');
    expect(() => encodeMessage({ ...message, channelId: new Uint8Array(31) })).toThrow(
      'a field of fixed length has it',
    );
  });
});
