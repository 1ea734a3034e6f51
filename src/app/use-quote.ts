import { useEffect, useState } from 'preact/hooks';
import type { ApiError } from '../../worker/client/api.ts';
import { toError } from './error-words.ts';

export type QuoteState<Q> =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'quoted'; readonly quote: Q }
  | { readonly kind: 'refused'; readonly error: ApiError };

interface Answer<Q> {
  readonly question: string;
  readonly state: QuoteState<Q>;
}

const WAITING = { kind: 'waiting' } as const;

/**
 * What something costs. `question` tells apart what is asked for, without one nothing is. It is asked again on each new
 * `occasion`, and the last answer stays until then: a button that is disabled for a moment loses the focus.
 */
export function useQuote<Q>(question: string | undefined, occasion: unknown, ask: () => Promise<Q>): QuoteState<Q> {
  const [answer, setAnswer] = useState<Answer<Q>>();
  useEffect(() => {
    if (question === undefined) return;
    let current = true;
    const take = (state: QuoteState<Q>): void => {
      if (current) setAnswer({ question, state });
    };
    ask().then(
      (quote) => take({ kind: 'quoted', quote }),
      (thrown: unknown) => take({ kind: 'refused', error: toError(thrown) }),
    );
    return () => {
      current = false;
    };
  }, [question, occasion]);
  return question !== undefined && answer?.question === question ? answer.state : WAITING;
}
