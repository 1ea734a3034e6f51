import type { ChannelManager } from '../engine/manager/channel-manager.ts';
import type { BackgroundTask } from './background-task.ts';
import type { ChainFollower } from './chain-follower.ts';
import { ClaimBumping } from './claim-bumping.ts';
import type { EventDelivery } from './event-delivery.ts';
import type { NodeTurns } from './node-turns.ts';
import type { OnchainRows } from './onchain-rows.ts';
import type { PeerManager } from './peers/peer-manager.ts';
import type { Wakefulness } from './wakefulness.ts';

/** What a node does again and again. */
export type TaskName =
  | 'stalePeers'
  | 'timers'
  | 'channelRows'
  | 'tipAge'
  | 'eventDelivery'
  | 'feerates'
  | 'rebroadcast'
  | 'claimBumping'
  | 'lazyPersistence';

export interface BackgroundTasksParts {
  readonly manager: ChannelManager;
  readonly turns: NodeTurns;
  readonly peers: PeerManager;
  readonly chain: ChainFollower;
  readonly rows: OnchainRows;
  readonly events: EventDelivery;
  readonly awake: Wakefulness;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Something that a snapshot shows has changed. */
  readonly changed: () => void;
}

const SECOND_MS = 1_000;
const FEERATES_MS = 120_000;
/** LDK's. */
const CLAIM_BUMPING_MS = 30_000;

/**
 * The tasks of a node, in the order in which those run that are due together: peers are left before anything is done upon a height that
 * is not known, and what all of them did lazily is written at the end. What has its own time is none: see the README.
 */
export function backgroundTasks(parts: BackgroundTasksParts): readonly BackgroundTask<TaskName>[] {
  const { manager, turns, peers, chain, rows, events } = parts;
  const claims = new ClaimBumping({ manager, chain, turn: (work) => turns.turn(work) });
  return [
    { name: 'stalePeers', periodMs: SECOND_MS, run: () => peers.timerTick() },
    { name: 'timers', periodMs: SECOND_MS, run: () => timerTick(parts) },
    { name: 'channelRows', periodMs: SECOND_MS, run: () => rows.noteIfDue() },
    { name: 'tipAge', periodMs: SECOND_MS, run: tipAgeNews(parts) },
    { name: 'eventDelivery', periodMs: SECOND_MS, run: () => events.deliver() },
    { name: 'feerates', periodMs: FEERATES_MS, run: () => chain.refreshFees() },
    { name: 'rebroadcast', periodMs: SECOND_MS, run: () => chain.rebroadcast() },
    { name: 'claimBumping', periodMs: CLAIM_BUMPING_MS, run: () => claims.bump() },
    { name: 'lazyPersistence', periodMs: SECOND_MS, run: () => turns.flush() },
  ];
}

function timerTick({ manager, turns, awake, now }: BackgroundTasksParts): void {
  // First: after a sleep nothing is closed for the silence of peers that could not speak.
  awake.note(now());
  turns.turn(() => manager.timerTick());
}

/** A page is told when the chain comes to be too old, which nothing else tells it. */
function tipAgeNews({ chain, changed }: BackgroundTasksParts): () => void {
  let told: number | undefined;
  return () => {
    const minutes = chain.staleness?.minutes;
    if (minutes === told) return;
    told = minutes;
    changed();
  };
}
