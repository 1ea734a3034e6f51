/** Details that travel with an error's code: plain values only, so that they survive `postMessage`. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | bigint | undefined>>;

/**
 * The one error class of the project. `code` is stable and for programs, `message` is a sentence for a person: what
 * happened and, where there is something, what to do.
 */
export class GlowwormError extends Error {
  readonly code: string;
  readonly details: ErrorDetails;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message);
    this.name = 'GlowwormError';
    this.code = code;
    this.details = details;
  }
}

/** A broken invariant of our own: stops the channel that it happened in, never closes it. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new GlowwormError('InvariantBroken', `invariant broken: ${what}`);
}
