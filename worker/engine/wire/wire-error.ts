import type { ErrorDetails } from '../primitives/errors.ts';
import { GlowwormError } from '../primitives/errors.ts';

/** Why bytes are not what BOLT 1 allows; travels as `details.reason` of a `WireError`. */
export type WireFault =
  | 'truncated'
  | 'trailingBytes'
  | 'notCanonical'
  | 'invalidPoint'
  | 'recordOrder'
  | 'unknownEncoding'
  | 'unknownEvenRecord'
  | 'unknownEvenMessage';

/** `UnknownEvenMessage` is a message that we must understand and do not; everything else is `MalformedMessage`. */
export type WireErrorCode = 'MalformedMessage' | 'UnknownEvenMessage';

/** The only error that a decoder throws: the bytes came from outside and are wrong. */
export class WireError extends GlowwormError {
  readonly reason: WireFault;

  constructor(reason: WireFault, message: string, details: ErrorDetails = {}) {
    const code: WireErrorCode = reason === 'unknownEvenMessage' ? 'UnknownEvenMessage' : 'MalformedMessage';
    super(code, message, { ...details, reason });
    this.name = 'WireError';
    this.reason = reason;
  }
}
