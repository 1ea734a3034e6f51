import { GlowwormError } from '../../engine/primitives/errors.ts';

/** No answer at all, or the server says that it is broken. */
export const unavailable = (source: string, why: string): GlowwormError =>
  new GlowwormError('ChainSourceUnavailable', `The chain source can't be reached: ${why}.`, { source });

/** Its time is over: what it would still have said nobody waits for. */
export const tooLate = (source: string): GlowwormError => unavailable(source, 'no answer in time');

export const rateLimited = (source: string): GlowwormError =>
  new GlowwormError('ChainSourceRateLimited', 'The chain source wants fewer requests.', { source });

/** An answer that is not what Esplora's API promises, or that does not prove what it claims. */
export const badReply = (source: string, what: string): GlowwormError =>
  new GlowwormError('ChainSourceBadReply', `The chain source gave an answer that can't be right: ${what}.`, { source });

export const isRateLimited = (error: unknown): boolean =>
  error instanceof GlowwormError && error.code === 'ChainSourceRateLimited';

/** Whether an error is the chain source's, so that another source may do better. */
export const isChainSourceError = (error: unknown): error is GlowwormError =>
  error instanceof GlowwormError && error.code.startsWith('ChainSource');
