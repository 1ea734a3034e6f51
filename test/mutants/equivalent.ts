/** A mutation that no test can notice, and why. */
export interface EquivalentMutation {
  /** The end of the file's path. */
  readonly file: string;
  readonly inFunction: string;
  readonly original: string;
  /** Absent: whatever it is replaced with. */
  readonly replacement?: string;
  readonly reason: string;
}

export const EQUIVALENT: readonly EquivalentMutation[] = [
  {
    file: 'manager/channel-manager.ts',
    inFunction: 'stackOf',
    original: '(error.stack ?? error.message) : String(error)',
    reason: 'which words of an error go to the log',
  },
];
