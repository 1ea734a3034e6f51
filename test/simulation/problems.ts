/** Throws what no honest engine does, and when it was noticed. */
export function throwProblems(problems: readonly string[], stage: string): void {
  if (problems.length > 0) throw new Error(`${stage}: ${problems.slice(0, 4).join('\n  ')}`);
}
