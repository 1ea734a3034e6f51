import { expectsCommitmentSigned } from '../channel/commitments.ts';
import { TokenBucket, type Allowance } from '../primitives/token-bucket.ts';
import type { ChannelEntry, OpenEntry } from './channel-entry.ts';

/** Each `open_channel` costs checks, and keys or an event for the owner. */
const OPENINGS: Allowance = { burst: 10, refillMs: 30_000 };
/** lnd sends one now and then; each costs signatures and a write. */
const EMPTY_COMMITMENTS: Allowance = { burst: 10, refillMs: 30_000 };

/** What peers may cost by messages that are in order one by one. */
export class PeerAllowances {
  readonly #openings = new Map<string, TokenBucket>();
  readonly #emptyCommitments = new WeakMap<ChannelEntry, TokenBucket>();

  /** Over all connections of a peer, or a new one would be the way around it. */
  mayOpen(nodeId: string, now: number): boolean {
    const left = this.#openings.get(nodeId) ?? new TokenBucket(OPENINGS);
    this.#openings.set(nodeId, left);
    return left.take(now);
  }

  /** Whether a `commitment_signed` may come now: without any change only so often. */
  mayCommit(entry: OpenEntry, now: number): boolean {
    if (expectsCommitmentSigned(entry.state.commitments)) return true;
    const left = this.#emptyCommitments.get(entry) ?? new TokenBucket(EMPTY_COMMITMENTS);
    this.#emptyCommitments.set(entry, left);
    return left.take(now);
  }
}
