import type { JSX } from 'preact';
import type { ApiError } from '../../../worker/client/api.ts';
import { errorWords } from '../error-words.ts';

export interface ErrorBoxProps {
  readonly error: ApiError | undefined;
}

/** What went wrong and what to do about it, where it happened. */
export function ErrorBox({ error }: ErrorBoxProps): JSX.Element | null {
  if (error === undefined) return null;
  const { cause, next, code } = errorWords(error);
  return (
    <div class="error" role="alert">
      <p>
        {cause} {next}
      </p>
      <p class="error-code">{code}</p>
    </div>
  );
}
