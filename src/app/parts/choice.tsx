import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

export interface ChoiceProps<K extends string> {
  readonly label: string;
  readonly options: readonly { readonly value: K; readonly name: string }[];
  readonly value: K;
  readonly onChoose: (value: K) => void;
}

/** One of a few, side by side: radio buttons, so the arrow keys move between them. */
export function Choice<K extends string>({ label, options, value, onChoose }: ChoiceProps<K>): JSX.Element {
  const group = useId();
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      <div class="choice-row">
        {options.map((option) => (
          <label key={option.value}>
            <input type="radio" name={group} checked={option.value === value} onChange={() => onChoose(option.value)} />
            <span>{option.name}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
