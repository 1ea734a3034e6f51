import fc from 'fast-check';
import type { WireFields } from '../../worker/engine/wire/codec.ts';
import { messageDefinitions, type Message, type MessageKind } from '../../worker/engine/wire/message.ts';
import { extremeOf, EXTREMES, valueOf, type Extreme, type Vocabulary } from './extremes.ts';
import { fieldsOf, withField } from './fields.ts';
import { randomOf } from './random.ts';

/** What a wrong peer does with a message that an honest one would send. */
export type Tampering =
  /** `field` counts the places of the message, and begins again after the last; `seed` decides what is left open. */
  | { readonly kind: 'change'; readonly field: number; readonly to: Extreme; readonly seed: number }
  | { readonly kind: 'leaveOut' }
  | { readonly kind: 'repeat'; readonly times: number }
  /** It leaves after the next one. */
  | { readonly kind: 'hold' }
  | { readonly kind: 'replace'; readonly by: MessageKind; readonly seed: number };

const MESSAGE_KINDS = Object.keys(messageDefinitions) as MessageKind[];

/** Those that a channel listens to come more often than the others. */
const HEARD: readonly MessageKind[] = MESSAGE_KINDS.filter((kind) => {
  const { type } = messageDefinitions[kind];
  return (type >= 32 && type <= 39) || (type >= 128 && type <= 136) || type === 17;
});

export const messageKind: fc.Arbitrary<MessageKind> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HEARD) },
  { weight: 1, arbitrary: fc.constantFrom(...MESSAGE_KINDS) },
);

export const seed: fc.Arbitrary<number> = fc.nat({ max: 0xffff });

export const tampering: fc.Arbitrary<Tampering> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      field: fc.nat({ max: 30 }),
      to: fc.constantFrom(...EXTREMES),
      seed,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leaveOut' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat' as const), times: fc.constantFrom(2, 2, 3, 40) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('hold' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('replace' as const), by: messageKind, seed }) },
);

/** A message with one of its places changed, or a record taken away that was there. */
export function changed(
  message: Message,
  { field, to, seed }: Extract<Tampering, { kind: 'change' }>,
  vocabulary: Vocabulary,
): Message {
  const fields = fieldsOf(message);
  const place = fields[field % fields.length];
  if (place === undefined) return message;
  const isRemoved = place.optional && place.value !== undefined && to === 'zero';
  const value = isRemoved ? undefined : extremeOf(place.schema, place.value, to, randomOf(seed), vocabulary);
  return withField(message, place, value);
}

/** A message of a kind, made of what was said before and of extremes. */
export function madeUp(kind: MessageKind, seed: number, vocabulary: Vocabulary): Message {
  const random = randomOf(seed);
  const { fields, tlvs: records } = messageDefinitions[kind];
  const values = valueOf({ kind: 'struct', fields }, random, vocabulary) as WireFields;
  const tlvs = valueOf({ kind: 'tlvs', records }, random, vocabulary);
  return { kind, ...values, tlvs } as unknown as Message;
}
