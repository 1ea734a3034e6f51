import { afterEach, describe, expect, it } from 'vitest';
import { encodeSend } from '../../worker/client/onchain-send.ts';
import { activityOf } from '../../worker/client/activity.ts';
import { encodeWallet } from '../../worker/engine/wallet/wallet-record.ts';
import { EMPTY_WALLET } from '../../worker/engine/wallet/wallet-state.ts';
import { GAP_LIMIT } from '../../worker/engine/wallet/wallet-scripts.ts';
import { newMonitor } from '../../worker/engine/monitor/channel-monitor.ts';
import { reversed, toHex } from '../../worker/engine/primitives/bytes.ts';
import { encodeTransaction, transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { ours, PARAMS, theirs } from '../engine/monitor/samples.ts';
import { MemoryDisk } from '../simulation/memory-store.ts';
import { FakePlatform } from '../edges/chain/fake-platform.ts';
import { FakeNode, peerOf } from './fake-node.ts';
import { stfu } from './peers/fixtures.ts';

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
    const added = fake.node.peers.connect(peerOf(3));
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

  it('closes nothing at deadlines before its peers, whom it had left, had a moment to say what is settled', async () => {
    await connected();
    expect(fake.node.mayCloseAtDeadlines).toBe(true);
    fake.isChainThere = false;
    await fake.pass(BLIND_S + RETRY_S);
    expect([fake.node.mayCloseAtDeadlines, fake.peers]).toEqual([false, []]);
    fake.isChainThere = true;
    fake.node.wake();
    await fake.pass(5);
    expect([fake.node.chain.knowsChannels, fake.node.mayCloseAtDeadlines]).toEqual([true, false]);
    await fake.pass(10);
    expect([fake.peers, fake.node.mayCloseAtDeadlines]).toEqual([['connected'], true]);
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

describe('a node whose server tells of no address, as where others have paid to it too often', () => {
  it('knows its channels at the newest block, says so, and meets its peers', async () => {
    const server = new FakePlatform((path) =>
      path.startsWith('/scripthash/') ? { status: 413, body: 'too many' } : fake.reply(path),
    );
    fake = new FakeNode([peerOf(2)], new MemoryDisk(), server);
    await fake.pass(MINUTE_S);
    const { chain } = fake.node;
    expect(chain.status).toMatchObject({ kind: 'syncing', problem: { code: 'ChainSourceBadReply' } });
    expect([chain.knowsChannels, fake.peers]).toEqual([true, ['connected']]);
  });

  it('knows nothing where the server does not tell of blocks either', async () => {
    const server = new FakePlatform(() => ({ status: 503, body: '' }));
    fake = new FakeNode([peerOf(2)], new MemoryDisk(), server);
    await fake.pass(MINUTE_S);
    expect([fake.node.chain.status.kind, fake.node.chain.knowsChannels]).toEqual(['unreachable', false]);
  });
});

/** What a page sees of the peers. */
const listed = (): readonly string[] => fake.node.peers.summaries().map(({ state }) => state);

describe('a wallet of which a record is damaged that can be learnt again', () => {
  it.each([
    'chain/headers',
    'chain/header/000000000000',
    'chain/old-header/000000000000',
    'chain/feerates',
    `meta/peer/${peerOf(2).nodeId}`,
    `coin/sent/${'07'.repeat(32)}`,
  ])('opens without it, and says so: %s', async (key) => {
    const disk = new MemoryDisk();
    disk.apply(new Map([[key, Uint8Array.of(2, 8, 1)]]));
    fake = new FakeNode([peerOf(3)], disk);
    expect(fake.log.join()).toContain('is damaged');
    await fake.pass(MINUTE_S);
    expect(fake.peers).toEqual(['connected']);
  });
});

describe('a wallet whose record of coins is damaged', () => {
  it.each([
    ['looks for them as after a restore, where it is damaged', Uint8Array.of(2, 8, 1), 160, 160],
    ['asks for what it handed out only, where it is there', encodeWallet(EMPTY_WALLET), 1, 15],
  ])('%s', async (_name, record, least, most) => {
    const disk = new MemoryDisk();
    disk.apply(new Map([['coin/state', record]]));
    fake = new FakeNode([peerOf(2)], disk);
    await fake.pass(40);
    const asked = new Set(fake.asked.filter((path) => path.startsWith('/scripthash/')));
    expect(asked.size).toBeGreaterThanOrEqual(least);
    expect(asked.size).toBeLessThanOrEqual(most);
    expect(fake.peers).toEqual(['connected']);
  });
});

describe('a wallet of which many addresses were used', () => {
  it('looks at some of them at a start, and soon at all of them and the gaps', async () => {
    const disk = new MemoryDisk();
    const cursors = { ...EMPTY_WALLET.cursors, receive: { next: 60, used: 60 } };
    disk.apply(new Map([['coin/state', encodeWallet({ ...EMPTY_WALLET, cursors })]]));
    fake = new FakeNode([], disk);
    const asked = (): number => new Set(fake.asked.filter((path) => path.startsWith('/scripthash/'))).size;
    await fake.pass(10);
    const atStart = asked();
    expect(atStart).toBeGreaterThanOrEqual(12);
    expect(atStart).toBeLessThanOrEqual(24);
    await fake.pass(6 * MINUTE_S);
    expect(asked()).toBe(60 + 4 * GAP_LIMIT);
  });
});

const WAITING = { kind: 'waiting' } as const;

describe('a payment out of the wallet that is in no block', () => {
  it('is a row of the list, also where it has no address', () => {
    const disk = new MemoryDisk();
    const at = 5;
    const sends = ['bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', ''].map((address, index) => {
      const txid = `0${index + 1}`.repeat(32);
      return { txid, rawTx: Uint8Array.of(1), address, amountSat: 1n, feeSat: 1n, at, fate: WAITING };
    });
    disk.apply(new Map(sends.map((send) => [`coin/sent/${send.txid}`, encodeSend(send)])));
    fake = new FakeNode([], disk);
    const rows = activityOf(fake.node, fake.timers.now(), 10);
    expect(rows.map(({ id }) => id).toSorted()).toEqual(sends.map(({ txid }) => txid));
  });

  it('is broadcast before what channels broadcast, which may spend its change', async () => {
    const disk = new MemoryDisk();
    const rawTx = Uint8Array.of(1, 2, 3);
    const send = { txid: '07'.repeat(32), rawTx, address: '', amountSat: 1n, feeSat: 1n, at: 0, fate: WAITING };
    disk.apply(new Map([[`coin/sent/${send.txid}`, encodeSend(send)]]));
    fake = new FakeNode([], disk);
    const { manager } = fake.node;
    const left: unknown[] = [];
    manager.broadcast = (transaction) => void left.push([...transaction]);
    manager.bestBlockUpdated = () => void left.push('what channels broadcast');
    await fake.pass(MINUTE_S);
    expect(left).toEqual([[1, 2, 3], 'what channels broadcast']);
  });
});

it('what spends an output of a channel in the mempool is told to the engine', async () => {
  fake = new FakeNode([]);
  const { manager } = fake.node;
  const outpoint = { txid: PARAMS.fundingTxid, vout: PARAMS.fundingOutputIndex };
  const inputs = [{ ...outpoint, sequence: 0, scriptSig: new Uint8Array(0), witness: [] }];
  const tx = { version: 2, inputs, outputs: [{ amountSat: 1_000n, script: new Uint8Array(22) }], locktime: 0 };
  const [funding, txid] = [outpoint.txid, transactionId(tx)].map((each) => toHex(reversed(each)));
  const status = { confirmed: false };
  fake.replies.set(`/tx/${funding}/status`, status);
  fake.replies.set(`/tx/${funding}/outspend/${outpoint.vout}`, { spent: true, txid, vin: 0, status });
  fake.replies.set(`/tx/${txid}/hex`, toHex(encodeTransaction(tx)));
  manager.chainMonitor.loadMonitor('channel', newMonitor(PARAMS, [ours(0), theirs(0)]));
  const seen: Transaction[] = [];
  manager.transactionSeen = (each) => void seen.push(each);
  await fake.pass(MINUTE_S);
  expect(seen).toEqual([tx]);
});

describe('HTLCs that were held over a restart', () => {
  it('are decided upon once the chain is known, before any peer is met', async () => {
    fake = new FakeNode([peerOf(2)]);
    fake.isChainThere = false;
    const met: number[] = [];
    fake.node.manager.decideAccepted = () => void met.push(fake.sockets.length);
    await fake.pass(5 * MINUTE_S);
    expect(met).toEqual([]);
    fake.isChainThere = true;
    await fake.pass(RETRY_S + MINUTE_S);
    expect([met, fake.peers]).toEqual([[0], ['connected']]);
  });
});

describe('a peer that its owner disconnects', () => {
  it('stays away, also when the chain comes back, until the owner wants it', async () => {
    await connected();
    fake.node.peers.disconnect(peerOf(2).nodeId);
    await fake.pass(5 * MINUTE_S);
    expect([fake.peers, listed()]).toEqual([[], ['disconnected']]);
    fake.isChainThere = false;
    await fake.pass(BLIND_S + RETRY_S);
    fake.isChainThere = true;
    await fake.pass(RETRY_S);
    expect([fake.sockets.length, listed()]).toEqual([1, ['disconnected']]);
    const wanted = fake.node.peers.connect(peerOf(2));
    await fake.pass(MINUTE_S);
    await wanted;
    expect([fake.peers, listed()]).toEqual([['connected'], ['connected']]);
  });

  it('is there again at the next start, with the trust that it had', async () => {
    const disk = new MemoryDisk();
    fake = new FakeNode([], disk);
    await fake.pass(MINUTE_S);
    const wanted = fake.node.peers.connect({ ...peerOf(2), trustedForZeroConf: true });
    await fake.pass(MINUTE_S);
    await wanted;
    const again = fake.node.peers.connect(peerOf(2));
    await fake.pass(MINUTE_S);
    await again;
    fake.node.peers.disconnect(peerOf(2).nodeId);
    await fake.stop();
    fake = new FakeNode([], disk);
    await fake.pass(MINUTE_S);
    expect(fake.node.peers.summaries()).toMatchObject([{ state: 'connected', trustedForZeroConf: true }]);
  });

  it('is not the one that nobody knows', async () => {
    await connected();
    expect(() => fake.node.peers.disconnect(peerOf(3).nodeId)).toThrow(
      expect.objectContaining({ code: 'PeerUnknown' }),
    );
  });
});

describe('a peer that is to be forgotten', () => {
  it('is not met at the next start', async () => {
    const disk = new MemoryDisk();
    fake = new FakeNode([], disk);
    await fake.pass(MINUTE_S);
    const wanted = fake.node.peers.connect(peerOf(2));
    await fake.pass(MINUTE_S);
    await wanted;
    const forgotten = fake.node.peers.forget(peerOf(2).nodeId);
    await fake.pass(MINUTE_S);
    await forgotten;
    expect([fake.peers, listed()]).toEqual([[], []]);
    await fake.stop();
    fake = new FakeNode([], disk);
    await fake.pass(MINUTE_S);
    expect([fake.sockets.length, listed()]).toEqual([0, []]);
  });

  it.each([
    ['is not, while a channel needs it', true],
    ['is, when none does', false],
  ])('%s', async (_name, isNeeded) => {
    await connected();
    const { nodeId } = peerOf(2);
    fake.node.manager.needsPeer = (id) => isNeeded && id === nodeId;
    expect(fake.node.peers.summaries().map(({ forgettable }) => forgettable)).toEqual([!isNeeded]);
    const forgotten = fake.node.peers.forget(nodeId).then(
      () => undefined,
      (error: { readonly code: string }) => error.code,
    );
    await fake.pass(MINUTE_S);
    expect(await forgotten).toBe(isNeeded ? 'PeerHasChannels' : undefined);
    expect(listed()).toEqual(isNeeded ? ['connected'] : []);
  });

  it('has to be known', async () => {
    await connected();
    await expect(fake.node.peers.forget(peerOf(3).nodeId)).rejects.toMatchObject({ code: 'PeerUnknown' });
  });
});

describe('a node id that is none', () => {
  it('is refused also while no peer is met', async () => {
    fake = new FakeNode([]);
    fake.isChainThere = false;
    await expect(fake.node.peers.connect({ ...peerOf(2), nodeId: '05'.repeat(33) })).rejects.toMatchObject({
      code: 'NodeIdInvalid',
    });
    expect(listed()).toEqual([]);
  });
});

describe('a mistake of ours', () => {
  it('while a message is handled begins a new connection, is logged and is shown', async () => {
    await connected();
    fake.node.manager.receive = () => {
      throw new TypeError('a mistake of ours');
    };
    const before = fake.changes;
    fake.sockets[0]?.say(stfu);
    expect(fake.changes).toBeGreaterThan(before);
    expect(fake.log.join('\n')).toContain('TypeError: a mistake of ours');
    await fake.pass(MINUTE_S);
    expect([fake.peers, fake.sockets.map(({ readyState }) => readyState)]).toEqual([['connected'], [3, 1]]);
  });

  it('while a connection is begun begins another', async () => {
    fake = new FakeNode([peerOf(2)]);
    const { peerConnected } = fake.node.manager;
    let mistakes = 2;
    fake.node.manager.peerConnected = (...args) => {
      if (mistakes-- > 0) throw new TypeError('a mistake of ours');
      peerConnected.apply(fake.node.manager, args);
    };
    await fake.pass(MINUTE_S);
    expect([fake.peers, fake.sockets.length]).toEqual([['connected'], 3]);
  });

  it('in what a person asks for is shown', async () => {
    await connected();
    const before = fake.changes;
    const asked = fake.node.turns.durably(() => {
      throw new TypeError('a mistake of ours');
    });
    await expect(asked).rejects.toThrow('a mistake of ours');
    expect(fake.changes).toBeGreaterThan(before);
  });
});
