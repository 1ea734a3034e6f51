import { afterEach, describe, expect, it, vi } from 'vitest';
import { Committer } from '../../worker/client/committer.ts';
import { AfterCommit, type Effect, type TurnResult } from '../../worker/engine/manager/turn.ts';
import { FakeNode, peerOf } from '../client/fake-node.ts';
import { peerId } from '../client/peers/fake-peer.ts';
import { connected } from '../client/peers/fixtures.ts';
import { MemoryDisk } from '../simulation/memory-store.ts';

/** What our own mistakes may cost: the connection on which they happened, and nothing that was to come after them. */

afterEach(() => {
  vi.restoreAllMocks();
});

describe('an exception while a message is handled', () => {
  it('ends that connection, and a new one is made', async () => {
    const fake = new FakeNode([peerOf(2)]);
    await fake.pass(60);
    expect(fake.peers).toEqual(['connected']);
    vi.spyOn(fake.node.manager, 'peerConnected').mockImplementation(() => {
      throw new Error('a bug of ours');
    });
    fake.node.peers.endConnection({
      kind: 'disconnect',
      nodeId: peerOf(2).nodeId,
      connectionId: 1,
      reason: 'to meet it anew',
    });
    await fake.pass(120);
    expect(fake.sockets.length).toBeGreaterThan(2);
    await fake.stop();
  });
});

describe('the end of a connection', () => {
  it('that is meant for an older one leaves the newer one alone', () => {
    const { peers, transport, timers } = connected();
    transport.latest.drop();
    timers.advance(2_000);
    transport.latest.greet();
    peers.disconnect(peerId, 1, 'a violation on the first connection');
    expect(transport.latest.isClosed).toBe(false);
    peers.disconnect(peerId, 2, 'a violation on this one');
    expect(transport.latest.isClosed).toBe(true);
  });

  it('by the owner is not the end of the peer: with a channel it cannot be forgotten', async () => {
    const fake = new FakeNode([peerOf(2)]);
    await fake.pass(60);
    const { nodeId } = peerOf(2);
    const needs = vi.spyOn(fake.node.manager, 'needsPeer').mockReturnValue(true);
    await expect(fake.node.peers.forget(nodeId)).rejects.toMatchObject({ code: 'PeerHasChannels' });
    needs.mockRestore();
    await fake.stop();
  });
});

/** A turn that writes one record and lets one event leave. */
const turnOf = (name: string): TurnResult => {
  const event: Effect = { kind: 'broadcast', transactions: [new Uint8Array(1)] };
  return {
    writes: new Map([[`meta/${name}`, new Uint8Array(1)]]),
    updates: [{ channelKey: name, updateId: 1 }],
    after: new AfterCommit([event]),
    commitDue: false,
  };
};

function committer(release: () => void) {
  const store = new MemoryDisk().open();
  const completed: string[] = [];
  const made = new Committer({
    target: store,
    release,
    endCommit: () => ({ writes: new Map(), updates: [], after: new AfterCommit([]), commitDue: false }),
    completed: (updates) => completed.push(...updates.map(({ channelKey }) => channelKey)),
    failed: () => undefined,
    threw: () => undefined,
    soon: queueMicrotask,
  });
  return { store, completed, made };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a commit', () => {
  it('counts as completed also where something that it released threw', async () => {
    const { store, completed, made } = committer(() => {
      throw new Error('a transport that fails');
    });
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    made.submit(turnOf('first'));
    await settle();
    store.completeAll();
    await settle();
    process.off('unhandledRejection', note);
    expect(completed).toEqual(['first']);
    expect(unhandled).toEqual([]);
  });

  it('is waited for alone: what comes after it is not', async () => {
    const { store, made } = committer(() => undefined);
    made.submit(turnOf('first'));
    let settled = false;
    const waiting = made.settled().then(() => (settled = true));
    await settle();
    made.submit(turnOf('second'));
    store.complete();
    await settle();
    expect(settled).toBe(true);
    store.completeAll();
    await settle();
    store.completeAll();
    await waiting;
  });
});
