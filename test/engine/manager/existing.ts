/** What has to be there. */
export function existing<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is not there');
  return value;
}
