/** What one side wrote. */
export interface WriteCounts {
  readonly transactions: number;
  readonly bytes: number;
}

/** What the sender and the receiver wrote for one payment, or per payment. */
export interface PaymentWrites {
  readonly of: string;
  readonly sides: readonly WriteCounts[];
}

/** One measurement of payments over one channel. Times in milliseconds. */
export interface PaymentsResult {
  readonly count: number;
  readonly inFlight: number;
  readonly perSecond: number;
  /** Of a batch, with more than one in flight. */
  readonly p50: number;
  readonly p99: number;
  readonly writes: readonly PaymentWrites[];
}

/** Two nodes with a channel: the same work for every engine. */
export interface PaymentPair {
  /** Makes invoices at the receiver and reads them at the sender; leaves nothing undone. */
  prepare(count: number): Promise<void>;
  /** Starts to pay the invoices from `first` up to and without `end`. */
  start(first: number, end: number): void;
  /** Resolves when `paid` payments are over: both sides have revoked, the pipe is empty, every write is durable. */
  finished(paid: number): Promise<void>;
  /** What an engine wants done from time to time, once `paid` payments are over. Counts, but not as latency. */
  upkeep(paid: number, inFlight: number): Promise<void>;
  /** All that the sender and the receiver have written so far. */
  counts(): readonly WriteCounts[];
  succeeded(): number;
}

const MARKED = [10, 1000];

/** Sends `count` payments in batches of `inFlight`; the next batch starts when the one before is over. */
export async function measurePayments(pair: PaymentPair, count: number, inFlight: number): Promise<PaymentsResult> {
  await pair.prepare(count);
  const latencies: number[] = [];
  const writes: PaymentWrites[] = [];
  const atFirst = pair.counts();
  const started = performance.now();
  for (let paid = 0; paid < count;) {
    const before = pair.counts();
    const began = performance.now();
    const end = Math.min(paid + inFlight, count);
    pair.start(paid, end);
    await pair.finished(end);
    paid = end;
    latencies.push(performance.now() - began);
    if (inFlight === 1 && MARKED.includes(paid)) writes.push({ of: `payment ${paid}`, sides: since(pair, before, 1) });
    await pair.upkeep(paid, inFlight);
  }
  const perSecond = (count / (performance.now() - started)) * 1000;
  if (inFlight === 1) writes.push({ of: 'mean payment', sides: since(pair, atFirst, count) });
  if (pair.succeeded() !== count) throw new Error(`${pair.succeeded()} of ${count} payments succeeded`);
  return { count, inFlight, perSecond, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), writes };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function since(pair: PaymentPair, before: readonly WriteCounts[], payments: number): readonly WriteCounts[] {
  return pair.counts().map(({ transactions, bytes }, side) => ({
    transactions: (transactions - (before[side]?.transactions ?? 0)) / payments,
    bytes: (bytes - (before[side]?.bytes ?? 0)) / payments,
  }));
}
