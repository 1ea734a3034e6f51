import type { JSX } from 'preact';
import { MOST_LABEL_BYTES } from '../payment-input.ts';
import { Field } from './field.tsx';

export interface LabelFieldProps {
  readonly value: string;
  readonly onInput: (value: string) => void;
}

/** What the owner calls it. */
export function LabelField({ value, onInput }: LabelFieldProps): JSX.Element {
  return (
    <Field
      label="Label"
      value={value}
      onInput={onInput}
      placeholder="What it is for"
      hint="Only you see it, in the list of your payments."
      maxLength={MOST_LABEL_BYTES}
    />
  );
}
