import { fromHex, fromUtf8, toHex, toUtf8 } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { recordFormat } from '../wire/stored-record.ts';

export const EVENT_KINDS = [
  'paymentSent',
  'paymentFailed',
  'paymentReceived',
  'channelOpened',
  'channelReady',
  'channelClosed',
  'channelOpenFailed',
  'channelRequested',
  'htlcIntercepted',
] as const;

export type EngineEventKind = (typeof EVENT_KINDS)[number];

/** Something that must reach the user: stored with what caused it, delivered again until acknowledged. */
export interface EngineEvent {
  /** Counts up; also the order. */
  readonly id: number;
  readonly kind: EngineEventKind;
  /** Payment hash, channel id or intercept id: 32 bytes in hex. */
  readonly subject: string;
  readonly amountMsat: bigint;
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const eventRecord = recordFormat('event', 1, {
  kind: [2, 'u8'],
  subject: [4, 'sha256'],
  amountMsat: [6, 'u64'],
  message: [8, 'remaining'],
  at: [10, 'u64'],
});

export const encodeEvent = (event: EngineEvent): Uint8Array =>
  eventRecord.encode({
    kind: EVENT_KINDS.indexOf(event.kind),
    subject: fromHex(event.subject),
    amountMsat: event.amountMsat,
    message: fromUtf8(event.message),
    at: BigInt(event.at),
  });

export function decodeEvent(id: number, bytes: Uint8Array): EngineEvent {
  const stored = eventRecord.decode(bytes);
  const kind = EVENT_KINDS[stored.kind];
  if (kind === undefined) throw new GlowwormError('RecordIncomplete', 'a stored event has an unknown kind');
  return {
    id,
    kind,
    subject: toHex(stored.subject),
    amountMsat: stored.amountMsat,
    message: toUtf8(stored.message),
    at: Number(stored.at),
  };
}
