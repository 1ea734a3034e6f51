import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../worker/engine/primitives/token-bucket.ts';

const take = (bucket: TokenBucket, times: number, now: number): readonly boolean[] =>
  Array.from({ length: times }, () => bucket.take(now));

describe('a token bucket', () => {
  it('gives its burst at once, and then nothing', () => {
    expect(take(new TokenBucket({ burst: 2, refillMs: 1_000 }), 4, 5_000)).toEqual([true, true, false, false]);
  });

  it('refills with time, to its burst and not above', () => {
    const bucket = new TokenBucket({ burst: 2, refillMs: 1_000 });
    take(bucket, 2, 0);
    expect(take(bucket, 2, 1_500)).toEqual([true, false]);
    expect(take(bucket, 2, 2_000)).toEqual([true, false]);
    expect(take(bucket, 3, 1_000_000)).toEqual([true, true, false]);
  });

  it('is not refilled by a clock that was set back', () => {
    const bucket = new TokenBucket({ burst: 1, refillMs: 1_000 });
    bucket.take(10_000);
    expect(bucket.take(2_000)).toBe(false);
    expect(bucket.take(3_000)).toBe(true);
  });
});
