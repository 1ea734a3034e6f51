import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { encode } from 'uqr';

export interface QrProps {
  /** Upper case takes fewer modules, where its meaning stays the same: in BOLT 11 and Bech32. */
  readonly text: string;
  readonly label: string;
}

/** A QR code; black on white in the dark too, since many scanners cannot read it inverted. */
export function Qr({ text, label }: QrProps): JSX.Element {
  const { size, path } = useMemo(() => drawing(text), [text]);
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <path d={path} />
    </svg>
  );
}

function drawing(text: string): { readonly size: number; readonly path: string } {
  const { size, data } = encode(text, { ecc: 'M', border: 3 });
  const modules = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')));
  return { size, path: modules.join('') };
}
