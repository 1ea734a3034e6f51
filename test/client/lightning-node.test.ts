import { afterEach, describe, expect, it } from 'vitest';
import { FakeNode, peerOf } from './fake-node.ts';

const MINUTE_S = 60;
/** So long a node trusts the last height that it knew. */
const BLIND_S = 30 * MINUTE_S;
/** The chain is asked again at least so often while it is away. */
const RETRY_S = 2 * MINUTE_S;

let fake: FakeNode;

/** A node whose chain is known and whose peer is connected. */
async function connected(): Promise<void> {
  fake = new FakeNode([peerOf(2)]);
  await fake.pass(MINUTE_S);
  expect(fake.peers).toEqual(['connected']);
}

afterEach(() => fake.stop());

describe('a node without the chain', () => {
  it('meets no peer until it has reached the chain', async () => {
    fake = new FakeNode([peerOf(2)]);
    fake.isChainThere = false;
    await fake.pass(5 * MINUTE_S);
    expect([fake.peers, fake.sockets.length]).toEqual([[], 0]);
    fake.isChainThere = true;
    await fake.pass(RETRY_S);
    expect(fake.peers).toEqual(['connected']);
  });

  it('keeps its peers for half an hour, and then leaves them', async () => {
    await connected();
    fake.isChainThere = false;
    await fake.pass(BLIND_S);
    expect(fake.peers).toEqual(['connected']);
    await fake.pass(RETRY_S);
    expect([fake.peers, fake.sockets.map(({ readyState }) => readyState)]).toEqual([[], [3]]);
  });

  it('connects to nobody, not even to a new peer, until the chain is back', async () => {
    await connected();
    fake.isChainThere = false;
    await fake.pass(BLIND_S + RETRY_S);
    const added = fake.node.addPeer(peerOf(3));
    await fake.pass(60 * MINUTE_S);
    await added;
    expect([fake.peers, fake.sockets.length]).toEqual([[], 1]);
    fake.isChainThere = true;
    await fake.pass(RETRY_S);
    expect(fake.peers).toEqual(['connected', 'connected']);
  });

  it('leaves its peers at once after a sleep that was longer', async () => {
    await connected();
    fake.isChainThere = false;
    fake.timers.advance(8 * 60 * MINUTE_S * 1_000);
    await fake.pass(10);
    expect(fake.peers).toEqual([]);
    await fake.pass(5 * MINUTE_S);
    expect(fake.peers).toEqual([]);
    fake.isChainThere = true;
    await fake.pass(RETRY_S);
    expect(fake.peers).toEqual(['connected']);
  });

  it('counts the half hour anew when the chain was back in between', async () => {
    await connected();
    for (let outage = 0; outage < 3; outage++) {
      fake.isChainThere = false;
      await fake.pass(25 * MINUTE_S);
      fake.isChainThere = true;
      await fake.pass(RETRY_S);
    }
    expect([fake.peers, fake.sockets.length]).toEqual([['connected'], 1]);
  });
});
