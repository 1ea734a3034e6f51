import { GlowwormError } from '../engine/primitives/errors.ts';

/** Of a number in a record what it stands for. Throws `RecordIncomplete` where this version knows no such `what`. */
export function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new GlowwormError('RecordIncomplete', `a stored record has an unknown ${what}`);
  return value;
}
