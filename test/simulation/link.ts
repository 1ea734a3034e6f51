import type { Side } from './side.ts';

/** Two sides that connect with each other, and the connection that they have. */
export class Link {
  readonly ends: readonly [Side, Side];
  connectionId: number | undefined;

  constructor(ends: readonly [Side, Side]) {
    this.ends = ends;
  }

  has(side: Side): boolean {
    return this.ends.includes(side);
  }

  /** The end that is not this one. */
  other(side: Side): Side {
    const [one, another] = this.ends;
    return side === one ? another : one;
  }

  /** What is under way in either direction is lost. */
  loseMessages(): void {
    for (const side of this.ends)
      side.inbox = side.inbox.filter(({ connectionId }) => connectionId !== this.connectionId);
  }
}
