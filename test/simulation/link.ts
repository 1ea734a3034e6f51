import type { Side } from './side.ts';

/** Two sides that connect with each other, and the connection that they have. */
export class Link {
  readonly ends: readonly [Side, Side];
  connectionId: number | undefined;
  /** The height at which both were last connected with nothing left to say or to write. */
  metAt = 0;

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

  /** Whether whatever one end knows that concerns the other is known there, and on both disks. */
  get isInTouch(): boolean {
    const { connectionId } = this;
    if (connectionId === undefined) return false;
    return this.ends.every(
      ({ inbox, store, source }) =>
        store.inFlight === 0 && !source.isLate && !inbox.some((message) => message.connectionId === connectionId),
    );
  }

  /** What is under way in either direction is lost. */
  loseMessages(): void {
    for (const side of this.ends)
      side.inbox = side.inbox.filter(({ connectionId }) => connectionId !== this.connectionId);
  }
}
