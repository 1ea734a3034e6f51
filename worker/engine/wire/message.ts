import { assert } from '../primitives/errors.ts';
import type { Codec, WireFields } from './codec.ts';

import { bolt1Messages } from './messages/bolt1.ts';
import { bolt2ChannelMessages } from './messages/bolt2-channel.ts';
import { bolt2InteractiveMessages } from './messages/bolt2-interactive.ts';
import { bolt4Messages } from './messages/bolt4.ts';
import { bolt7Messages } from './messages/bolt7.ts';
import { ByteReader } from './reader.ts';
import type { Fields, Records, StructOf, TlvsOf } from './schema.ts';
import { structCodec, tlvCodec } from './schema-codec.ts';
import { WireError } from './wire-error.ts';
import { ByteWriter } from './writer.ts';

/** A message as data: its number, its fields in wire order, the records of its extension. */
export interface MessageDefinition {
  readonly type: number;
  readonly fields: Fields;
  readonly tlvs: Records;
}

type Definitions = typeof bolt1Messages &
  typeof bolt2ChannelMessages &
  typeof bolt2InteractiveMessages &
  typeof bolt4Messages &
  typeof bolt7Messages;

/** The BOLT's name of a message. */
export type MessageKind = keyof Definitions;

type Flat<T> = { readonly [K in keyof T]: T[K] };

/** One message by its name: `MessageOf<'update_add_htlc'>`. */
export type MessageOf<K extends MessageKind> = {
  readonly [Kind in K]: Flat<
    { readonly kind: Kind } & StructOf<Definitions[Kind]['fields']> & {
        readonly tlvs: TlvsOf<Definitions[Kind]['tlvs']>;
      }
  >;
}[K];

/** Every message that we know, by `kind`. */
export type Message = MessageOf<MessageKind>;

/** A message with an odd number that we do not know: to be ignored (BOLT 1, Lightning Message Format). */
export interface UnknownMessage {
  readonly kind: 'unknown';
  readonly type: number;
}

export type DecodeResult = Message | UnknownMessage;

/** BOLT 8 frames at most this many bytes, the two of the type included. */
export const MAX_MESSAGE_BYTES: number = 65_535;

/** Every definition by name. */
export const messageDefinitions: Readonly<Record<MessageKind, MessageDefinition>> = {
  ...bolt1Messages,
  ...bolt2ChannelMessages,
  ...bolt2InteractiveMessages,
  ...bolt4Messages,
  ...bolt7Messages,
};

/**
 * Decodes a message, its two bytes of type included. Throws `WireError`: `UnknownEvenMessage` for a message that we would
 * have to understand, `MalformedMessage` for bytes that are not the message they claim to be.
 */
export function decodeMessage(bytes: Uint8Array): DecodeResult {
  const reader = new ByteReader(bytes);
  const type = reader.u16();
  const known = byType.get(type);
  if (known !== undefined) return known.read(reader) as Message;
  if (type % 2 === 1) return { kind: 'unknown', type };
  throw new WireError('unknownEvenMessage', `message ${type} is unknown and even`, { type });
}

/** The bytes of a message, type included. Throws `InvariantBroken` for values outside their types. */
export function encodeMessage(message: Message): Uint8Array {
  const writer = new ByteWriter();
  byKind[message.kind].write(writer, message);
  const bytes = writer.finish();
  assert(bytes.length <= MAX_MESSAGE_BYTES, `message of ${bytes.length} bytes fits a frame`);
  return bytes;
}

const byKind = Object.fromEntries(
  Object.entries(messageDefinitions).map(([kind, definition]) => [kind, messageCodec(kind, definition)]),
) as Record<MessageKind, Codec<WireFields>>;

const byType = new Map(
  Object.entries(messageDefinitions).map(([kind, definition]) => [definition.type, byKind[kind as MessageKind]]),
);

function messageCodec(kind: string, definition: MessageDefinition): Codec<WireFields> {
  const fields = structCodec(definition.fields);
  const tlvs = tlvCodec(definition.tlvs);
  return {
    read: (reader) => ({ kind, ...fields.read(reader), tlvs: tlvs.read(reader) }),
    write: (writer, message) => {
      writer.u16(definition.type);
      fields.write(writer, message);
      tlvs.write(writer, message['tlvs'] as WireFields);
    },
  };
}
