import type { WireFields, WireValue } from '../../worker/engine/wire/codec.ts';
import { messageDefinitions, type Message } from '../../worker/engine/wire/message.ts';
import type { Fields, Records, Schema } from '../../worker/engine/wire/schema.ts';

/** A place in a message: a field, a record of its extension, or something within one of them. */
export interface Field {
  readonly path: readonly (string | number)[];
  readonly schema: Schema;
  /** A record may be left out. */
  readonly optional: boolean;
  /** `undefined` for a record that is not there. */
  readonly value: WireValue | undefined;
}

/** Every place of a message that could be changed, as its definition has them. */
export function fieldsOf(message: Message): readonly Field[] {
  const { fields, tlvs } = messageDefinitions[message.kind];
  const value = message as unknown as WireFields;
  return [...ofStruct([], fields, value), ...ofRecords(['tlvs'], tlvs, value['tlvs'] as WireFields)];
}

/** The message with another value at a place; `undefined` takes a record away. */
export const withField = (message: Message, { path }: Field, value: WireValue | undefined): Message =>
  replaced(message as unknown as WireFields, path, value) as unknown as Message;

function within(path: Field['path'], schema: Schema, value: WireValue | undefined): readonly Field[] {
  const itself: Field = { path, schema, value, optional: false };
  if (typeof schema === 'string' || value === undefined) return [itself];
  switch (schema.kind) {
    case 'fixed':
      return [itself];
    case 'struct':
      return ofStruct(path, schema.fields, value as WireFields);
    case 'tlvs':
      return ofRecords(path, schema.records, value as WireFields);
    case 'times':
    case 'counted':
    case 'rest': {
      // The first element stands for all.
      const [first] = value as readonly WireValue[];
      const elements = first === undefined ? [] : within([...path, 0], schema.of, first);
      return schema.kind === 'times' ? elements : [itself, ...elements];
    }
    default:
      return schema satisfies never;
  }
}

const ofStruct = (path: Field['path'], fields: Fields, value: WireFields): readonly Field[] =>
  Object.entries(fields).flatMap(([name, schema]) => within([...path, name], schema, value[name]));

const ofRecords = (path: Field['path'], records: Records, value: WireFields): readonly Field[] =>
  Object.entries(records).flatMap(([name, [, schema]]): readonly Field[] => {
    const at = [...path, name];
    const record: Field = { path: at, schema, value: value[name], optional: true };
    return value[name] === undefined ? [record] : [record, ...within(at, schema, value[name])];
  });

function replaced(
  container: WireValue,
  [step, ...rest]: Field['path'],
  value: WireValue | undefined,
): WireValue | undefined {
  if (step === undefined) return value;
  if (Array.isArray(container)) {
    const list = container as readonly WireValue[];
    return list.map((each, index) => (index === step ? (replaced(each, rest, value) ?? each) : each));
  }
  const fields = container as WireFields;
  const inner = fields[step];
  return { ...fields, [step]: rest.length === 0 ? value : replaced(inner ?? {}, rest, value) };
}
