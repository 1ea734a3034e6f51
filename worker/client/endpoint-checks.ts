import { GlowwormError } from '../engine/primitives/errors.ts';

/** Reads a value of unknown origin, or throws `ArgumentInvalid` that names where it was found. */
export type Check<T> = (value: unknown, name: string) => T;

type OptionalKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
type RequiredKeys<T> = Exclude<keyof T, OptionalKeys<T>>;
type Checks<T, K extends keyof T> = { readonly [N in K]-?: Check<Exclude<T[N], undefined>> };

/** An object with exactly these fields: a misspelt option about money must not be ignored. */
export function record<T extends object>(
  required: Checks<T, RequiredKeys<T>>,
  optional: Checks<T, OptionalKeys<T>>,
): Check<T> {
  const needed = entriesOf(required);
  const possible = entriesOf(optional);
  const known = new Set([...needed, ...possible].map(([field]) => field));
  return (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(name, 'an object');
    const given = new Map(Object.entries(value));
    for (const field of given.keys()) {
      if (!known.has(field)) throw invalid(`${name}.${field}`, 'absent: there is no such field');
    }
    const fields = new Map<string, unknown>();
    for (const [field, check] of needed) fields.set(field, check(given.get(field), `${name}.${field}`));
    for (const [field, check] of possible) {
      const content: unknown = given.get(field);
      if (content !== undefined) fields.set(field, check(content, `${name}.${field}`));
    }
    return Object.fromEntries(fields) as T;
  };
}

/** A string of `min` to `max` UTF-16 units. */
export function text(min: number, max: number): Check<string> {
  return (value, name) => {
    if (typeof value !== 'string') throw invalid(name, 'a string');
    if (value.length < min || value.length > max) throw invalid(name, `a string of ${min} to ${max} characters`);
    return value;
  };
}

/** A string that is at most `max` bytes in UTF-8. */
export function utf8(max: number): Check<string> {
  return (value, name) => {
    if (typeof value !== 'string') throw invalid(name, 'a string');
    if (new TextEncoder().encode(value).length > max) throw invalid(name, `at most ${max} bytes of text`);
    return value;
  };
}

/** A string of which `pattern` describes the whole. */
export function matching(pattern: RegExp, what: string): Check<string> {
  return (value, name) => {
    if (typeof value !== 'string' || !pattern.test(value)) throw invalid(name, what);
    return value;
  };
}

/** An absolute URL with one of the protocols (`https:`), at most 2048 characters. */
export function url(protocols: readonly string[]): Check<string> {
  return (value, name) => {
    const parsed = typeof value === 'string' && value.length <= 2048 ? parseUrl(value) : undefined;
    if (parsed === undefined || !protocols.includes(parsed.protocol))
      throw invalid(name, `a ${protocols.join(' or ')} URL`);
    return String(value);
  };
}

export function oneOf<W extends string>(...words: readonly W[]): Check<W> {
  return (value, name) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw invalid(name, `one of ${words.join(', ')}`);
    return found;
  };
}

export function integer(min: number, max: number): Check<number> {
  return (value, name) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
      throw invalid(name, `a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** A number from `min` to `max`, with or without decimals. */
export function decimal(min: number, max: number): Check<number> {
  return (value, name) => {
    if (typeof value !== 'number' || !(value >= min && value <= max))
      throw invalid(name, `a number from ${min} to ${max}`);
    return value;
  };
}

/** A bigint from `min` to `max`; a `number` is refused, because amounts above 2^53 would have been rounded already. */
export function amount(min: bigint, max: bigint): Check<bigint> {
  return (value, name) => {
    if (typeof value !== 'bigint' || value < min || value > max) throw invalid(name, `a bigint from ${min} to ${max}`);
    return value;
  };
}

export function truth(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw invalid(name, 'a boolean');
  return value;
}

/** A list of `min` to `max` entries. */
export function list<T>(check: Check<T>, min: number, max: number): Check<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value) || value.length < min || value.length > max) {
      throw invalid(name, `a list of ${min} to ${max} entries`);
    }
    return value.map((entry: unknown, index) => check(entry, `${name}[${index}]`));
  };
}

/** The error of a refused argument; the value is left out, because it may be a secret. */
export function invalid(name: string, what: string): GlowwormError {
  return new GlowwormError('ArgumentInvalid', `${name} must be ${what}.`, { argument: name });
}

function entriesOf(checks: object): readonly (readonly [string, Check<unknown>])[] {
  return Object.entries(checks) as [string, Check<unknown>][];
}

function parseUrl(value: string): URL | undefined {
  try {
    return new URL(value);
  } catch {
    return undefined;
  }
}
