/** A request's fields before they are checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** A non-negative whole number; digits in a string count, because queries have nothing else. */
export function wholeNumber(fields: Fields, name: string): number {
  const value = optionalNumber(fields, name);
  if (value === undefined) throw new Error(`${name} is missing`);
  return value;
}

export function optionalNumber(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) {
    throw new Error(`${name} is not a whole number`);
  }
  return number;
}

export function word(fields: Fields, name: string): string {
  const value = optionalWord(fields, name);
  if (value === undefined) throw new Error(`${name} is missing`);
  return value;
}

export function optionalWord(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new Error(`${name} is not a string`);
  return value;
}

/** Whether something is switched on; true when the field is absent. */
export function switchedOn(fields: Fields, name = 'on'): boolean {
  const value = fields[name] ?? true;
  if (typeof value !== 'boolean') throw new Error(`${name} is not a boolean`);
  return value;
}

/** The field if it is one of `words`. */
export function oneOf<W extends string>(fields: Fields, name: string, words: readonly W[]): W {
  const value = fields[name];
  const found = words.find((candidate) => candidate === value);
  if (found === undefined) throw new Error(`${name} is none of ${words.join(', ')}`);
  return found;
}
