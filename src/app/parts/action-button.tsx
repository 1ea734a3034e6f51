import type { ComponentChildren, JSX } from 'preact';
import type { Action } from '../wallet-context.ts';
import { ErrorBox } from './error-box.tsx';

export interface ActionButtonProps {
  readonly action: Action;
  readonly look?: 'primary' | 'plain' | 'quiet' | 'danger';
  readonly disabled?: boolean;
  readonly children: ComponentChildren;
}

/** A button for an action, with its error below it. It is not disabled meanwhile, which would take the focus from it. */
export function ActionButton({ action, look = 'primary', disabled = false, children }: ActionButtonProps): JSX.Element {
  return (
    <>
      <button
        type="button"
        class={look}
        disabled={disabled}
        aria-disabled={action.busy}
        aria-busy={action.busy}
        onClick={action.run}
      >
        {children}
      </button>
      <ErrorBox error={action.error} />
    </>
  );
}
