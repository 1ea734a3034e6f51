import type { JSX } from 'preact';
import { blocksText, USUAL_BLOCKS } from '../block-time.ts';
import { readFeerate } from '../format.ts';
import { useWallet } from '../wallet-context.ts';
import { Field } from './field.tsx';

export interface FeerateFieldProps {
  readonly value: string;
  readonly onInput: (value: string) => void;
}

/** A feerate of one's own; the wallet chooses where there is none. */
export function FeerateField({ value, onInput }: FeerateFieldProps): JSX.Element {
  const { network } = useWallet().snapshot;
  return (
    <Field
      label="Feerate"
      value={value}
      onInput={onInput}
      unit="sat/vB"
      inputMode="decimal"
      placeholder="chosen for you"
      hint={`Leave it empty for what should confirm within ${blocksText(USUAL_BLOCKS, network)}.`}
      wrong={readFeerate(value) === undefined ? 'From 1 to 1000, please.' : undefined}
    />
  );
}
