import type { JSX } from 'preact';
import type { ApiError } from '../../../worker/client/api.ts';
import { ErrorBox } from '../parts/error-box.tsx';
import { forgetConfig } from '../saved-config.ts';

export interface FailedPageProps {
  readonly error: ApiError;
}

/** The wallet could not be opened, or its worker died. */
export function FailedPage({ error }: FailedPageProps): JSX.Element {
  const chooseAgain = (): void => {
    forgetConfig();
    location.reload();
  };
  return (
    <main class="solo">
      <h1>The wallet is not running</h1>
      <ErrorBox error={error} />
      <button type="button" class="primary" onClick={() => location.reload()}>
        Reload
      </button>
      <button type="button" class="quiet" onClick={chooseAgain}>
        Choose another network or server
      </button>
    </main>
  );
}
