import { GlowwormError } from '../engine/primitives/errors.ts';
import type { ApiError } from './api.ts';

/** An error as a snapshot carries it. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof GlowwormError) return { code: error.code, message: error.message, details: error.details };
  return { code: 'InternalError', message: 'Something went wrong inside the wallet.', details: {} };
}
