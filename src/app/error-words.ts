import type { ApiError } from '../../worker/client/api.ts';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';

export interface ErrorWords {
  readonly cause: string;
  /** What to do, where the cause does not say it. */
  readonly next: string;
  readonly code: string;
}

/** What to do about the errors whose sentences cannot know of this page's buttons. */
const NEXT_ACTS: ReadonlyMap<string, string> = new Map([
  ['WorkerDied', 'Reload this page.'],
  ['WalletClosed', 'Reload this page.'],
  ['InternalError', 'The log is under Settings.'],
  ['ArgumentInvalid', 'Check what you typed and try again.'],
  ['WorldUnreachable', 'Start it again with npm start, then reload this page.'],
]);

/** An error for a person. */
export function errorWords(error: ApiError): ErrorWords {
  return { cause: error.message, next: NEXT_ACTS.get(error.code) ?? '', code: error.code };
}

/** Whatever a call of the wallet or of this page threw. */
export function toError(thrown: unknown): ApiError {
  if (thrown instanceof GlowwormError) return { code: thrown.code, message: thrown.message, details: thrown.details };
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'PageError', message: `This page made a mistake: ${message}`, details: {} };
}
