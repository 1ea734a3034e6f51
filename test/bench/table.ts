export const ENGINES = ['glowworm', 'ldk'] as const;
export type Engine = (typeof ENGINES)[number];

export interface Row {
  readonly row: string;
  readonly glowworm: number | undefined;
  readonly ldk: number | undefined;
}

/** Values of every engine by name, in the order in which the names came first. */
export class Results {
  readonly #values = new Map<string, Record<Engine, number[]>>();

  add(engine: Engine, name: string, value: number): void {
    const values = this.#values.get(name) ?? { glowworm: [], ldk: [] };
    values[engine].push(value);
    this.#values.set(name, values);
  }

  /** The median of each. */
  rows(): readonly Row[] {
    return [...this.#values].map(([row, { glowworm, ldk }]) => ({ row, glowworm: median(glowworm), ldk: median(ldk) }));
  }
}

/** For reading; the last column is Glowworm's value divided by LDK's. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map(({ row, glowworm, ldk }) => [
    row,
    show(glowworm),
    show(ldk),
    glowworm === undefined || ldk === undefined ? '-' : show(glowworm / ldk),
  ]);
  const lines = [['', 'glowworm', 'LDK wasm', 'ratio'], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0);
  return lines.map((line) => line.map(pad).join('  ')).join('\n');
}

export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

function show(value: number | undefined): string {
  if (value === undefined) return '-';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
