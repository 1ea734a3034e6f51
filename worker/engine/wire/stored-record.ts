import { GlowwormError } from '../primitives/errors.ts';
import { codecOf } from './schema-codec.ts';
import { decode, encode } from './codec.ts';
import type { Records, TlvsOf } from './schema.ts';

/** A version so far ahead is a bit that has turned, not a newer program's. */
const MOST_VERSIONS_AHEAD = 32;

/** `undefined` for damaged bytes. Throws `RecordTooNew`: an older program must not touch what it cannot read. */
export function readable<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof GlowwormError && error.code === 'RecordTooNew') throw error;
    return undefined;
  }
}

/** What a record says: every field of the format, and those that only newer programs write, where they are there. */
type RecordValue<R extends Records, O extends Records> = Required<TlvsOf<R>> & TlvsOf<O>;

/** How a kind of record is stored: a TLV stream that begins with its version (record 0). */
export interface RecordFormat<R extends Records, O extends Records = Record<never, never>> {
  encode(value: RecordValue<R, O>): Uint8Array;
  /**
   * Throws `WireError` or `RecordDamaged` on damaged bytes, `RecordIncomplete` on a missing field, `RecordTooNew` on a later
   * version.
   */
  decode(bytes: Uint8Array): RecordValue<R, O>;
}

/**
 * A stored record's format. Every record of the schema is written always; a later version may add odd ones, which this
 * version drops, or even ones, which it refuses to misread (BOLT 1's rule, applied to ourselves). `added` are the odd ones
 * that older programs did not write.
 */
export function recordFormat<const R extends Records, const O extends Records = Record<never, never>>(
  name: string,
  version: number,
  records: R,
  added?: O,
): RecordFormat<R, O> {
  const codec = codecOf({ kind: 'tlvs', records: { ...records, ...added, version: [0, 'u8'] } });
  type Stored = RecordValue<R, O> & { readonly version?: number };
  return {
    encode: (value) => encode(codec, { ...value, version } as never),
    decode: (bytes) => {
      const { version: found, ...value } = decode(codec, bytes) as Stored;
      if (found !== undefined && found > version + MOST_VERSIONS_AHEAD)
        throw new GlowwormError('RecordDamaged', `a stored ${name} record has no version`, { name, version: found });
      if (found !== undefined && found > version)
        throw new GlowwormError(
          'RecordTooNew',
          `The wallet was last used by a newer version of this program (${name} record of version ${found}); open it with that one.`,
          { name, version: found },
        );
      for (const field of Object.keys(records))
        if (!(field in value))
          throw new GlowwormError('RecordIncomplete', `a stored ${name} record lacks ${field}`, { name, field });
      return value as unknown as RecordValue<R, O>;
    },
  };
}
