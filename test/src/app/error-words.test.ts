import { describe, expect, it } from 'vitest';
import { errorWords, toError } from '../../../src/app/error-words.ts';
import { GlowwormError } from '../../../src/index.ts';

describe('errorWords', () => {
  it("gives the library's sentence as the cause", () => {
    const error = toError(new GlowwormError('RouteNotFound', 'No route. Try less.', { amountMsat: 1n }));
    expect(errorWords(error)).toEqual({ cause: 'No route. Try less.', next: '', code: 'RouteNotFound' });
  });

  it('adds what this page can do', () => {
    expect(errorWords(toError(new GlowwormError('WorkerDied', 'It stopped.'))).next).toBe('Reload this page.');
  });

  it('has words for mistakes of the page itself', () => {
    expect(toError(new TypeError('x is undefined'))).toMatchObject({ code: 'PageError' });
    expect(toError('nothing')).toMatchObject({ code: 'PageError', message: expect.stringContaining('nothing') });
  });
});
