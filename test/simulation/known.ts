/** A fault of the engine that is known and being mended: a run that meets it ends there. */
interface KnownFault {
  readonly reason: string;
  readonly problem: RegExp;
}

/**
 * To be emptied: every entry stands for runs in which something else could hide. Each names what goes wrong, and the
 * problem that the simulation reports of it.
 */
export const KNOWN_FAULTS: readonly KnownFault[] = [
  {
    reason: 'an HTLC that was offered and never signed stays pending when its channel closes',
    problem: /the payment of \d+ msat from \w is pending for ever$/,
  },
  {
    reason: 'a force close before the funding is in the chain keeps coins for a child that can never be there',
    problem: /keeps coins for the close of a channel that was never funded$/,
  },
];

/** How often each was met in this process. */
export const metFaults = new Map<string, number>();

/** A run that cannot go on, for a reason that is known. */
class KnownFaultMet extends Error {}

/** Throws what is new of problems; where all of them are known, that they were met. */
export function throwProblems(problems: readonly string[], stage: string): void {
  if (problems.length === 0) return;
  const unknown = problems.filter((problem) => reasonOf(problem) === undefined);
  if (unknown.length > 0) throw new Error(`${stage}: ${unknown.slice(0, 4).join('\n  ')}`);
  for (const reason of new Set(problems.map(reasonOf)))
    if (reason !== undefined) metFaults.set(reason, (metFaults.get(reason) ?? 0) + 1);
  throw new KnownFaultMet(problems[0]);
}

/** Lets a run end at a known fault; throws everything else. */
export async function unlessKnown(run: Promise<unknown>): Promise<void> {
  try {
    await run;
  } catch (error) {
    if (!(error instanceof KnownFaultMet)) throw error;
  }
}

const reasonOf = (problem: string): string | undefined =>
  KNOWN_FAULTS.find((known) => known.problem.test(problem))?.reason;
