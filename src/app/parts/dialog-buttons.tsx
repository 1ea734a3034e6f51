import type { ComponentChildren, JSX } from 'preact';
import type { Action } from '../wallet-context.ts';

export interface DialogButtonsProps {
  readonly action: Action;
  readonly disabled?: boolean;
  readonly children: ComponentChildren;
}

/** The way back, which has the focus, and what is asked about. */
export function DialogButtons({ action, disabled = false, children }: DialogButtonsProps): JSX.Element {
  return (
    <div class="row">
      <button type="button" class="plain" autofocus onClick={closeDialog}>
        Back
      </button>
      <button
        type="button"
        class="primary"
        disabled={disabled}
        aria-disabled={action.busy}
        aria-busy={action.busy}
        onClick={action.run}
      >
        {children}
      </button>
    </div>
  );
}

/** By the browser, which gives the focus back to where it was. */
function closeDialog(event: JSX.TargetedMouseEvent<HTMLButtonElement>): void {
  event.currentTarget.closest('dialog')?.close();
}
