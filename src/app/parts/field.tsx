import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

export interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  /** Said below the field; with `wrong` it is what is wrong. */
  readonly hint?: string | undefined;
  readonly wrong?: string | undefined;
  readonly unit?: string;
  readonly placeholder?: string;
  readonly inputMode?: 'text' | 'numeric' | 'decimal' | 'url';
  /** For invoices and keys. */
  readonly mono?: true;
  readonly lines?: number;
  readonly maxLength?: number;
}

/** A labelled text field. */
export function Field(props: FieldProps): JSX.Element {
  const { label, value, onInput, hint, wrong, unit, placeholder, inputMode = 'text', mono, lines, maxLength } = props;
  const id = useId();
  const note = wrong ?? hint;
  const attributes = {
    id,
    value,
    placeholder,
    maxLength,
    inputMode,
    class: mono === true ? 'mono' : undefined,
    autoComplete: 'off',
    autoCapitalize: 'none',
    spellcheck: false,
    'aria-invalid': wrong !== undefined,
    'aria-describedby': note === undefined ? undefined : `${id}-note`,
    onInput: (event: JSX.TargetedInputEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      onInput(event.currentTarget.value),
  } as const;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="field-box">
        {lines === undefined ? <input type="text" {...attributes} /> : <textarea rows={lines} {...attributes} />}
        {unit !== undefined && <span class="unit">{unit}</span>}
      </div>
      {note !== undefined && (
        <p id={`${id}-note`} class={wrong === undefined ? 'hint' : 'hint wrong'}>
          {note}
        </p>
      )}
    </div>
  );
}
