import { describe, expect, it } from 'vitest';
import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { OpenChannel, Quiescence } from '../../../worker/engine/channel/channel-state.ts';
import type { Message } from '../../../worker/engine/wire/message.ts';
import type { StartName } from '../../simulation/starts.ts';
import { existing } from './existing.ts';
import { Meeting } from './meeting.ts';

const AMOUNT = 20_000_000n;

async function met(start: StartName = 'wide', name: 'a' | 'b' = 'a'): Promise<Meeting> {
  const meeting = await Meeting.begin(start, name);
  await meeting.connect();
  for (const kind of ['stfu', 'warning'] as const) meeting.heard(kind);
  return meeting;
}

function openChannel(meeting: Meeting): OpenChannel {
  const { state } = existing(meeting.channels[0]);
  if (state.kind !== 'open') throw new Error(`the channel is ${state.kind}`);
  return state;
}

const quiescence = (meeting: Meeting): Quiescence['kind'] => openChannel(meeting).quiescence.kind;

const quiesce = ({ node, channels }: Meeting): boolean =>
  node.turn(() => node.manager.quiesce(existing(channels[0]).key));

const stfu = (meeting: Meeting): Message => ({
  kind: 'stfu',
  channelId: openChannel(meeting).params.channelId,
  initiator: 1,
  tlvs: {},
});

const outcomes = ({ manager }: Meeting['node']): readonly string[] =>
  manager.outboundPayments.all().map(({ state }) => state.kind);

/** The HTLC of a payment to the node is in its commitment, and not yet its to decide upon. */
async function beingPaid(meeting: Meeting): Promise<void> {
  meeting.peer.pay(meeting.node.invoice(AMOUNT));
  for (let steps = 0; openChannel(meeting).commitments.holderCommit.spec.htlcs.length === 0; steps++) {
    if (steps > 20) throw new Error('nothing is paid');
    await meeting.step();
  }
}

/** The node said `stfu` while it was being paid, and has the preimage for nobody to hear. */
async function holdingFulfill(): Promise<Meeting> {
  const meeting = await met();
  meeting.withheld = ({ kind }) => kind === 'stfu';
  await beingPaid(meeting);
  quiesce(meeting);
  await meeting.flow();
  expect(openChannel(meeting).commitments.holderChanges.held).toMatchObject([{ kind: 'fulfill' }]);
  return meeting;
}

describe('a channel that is made quiescent', () => {
  it.each(['a', 'b'] as const)('is met anew, and works, where %s asked', async (name) => {
    const meeting = await met('wide', name);
    expect(quiesce(meeting)).toBe(true);
    await meeting.flow();
    expect(meeting.heard('stfu')).toMatchObject([{ initiator: 1 }]);
    expect(meeting.heardFromPeer('stfu')).toMatchObject([{ initiator: 0 }]);
    expect([meeting.ended, meeting.heard('warning')]).toEqual([['the channel was quiescent'], []]);
    await meeting.connect();
    expect(quiescence(meeting)).toBe('none');
    meeting.node.pay(meeting.peer.invoice(AMOUNT));
    await meeting.flow();
    expect(outcomes(meeting.node)).toEqual(['succeeded']);
  });

  it('waits for a payment that has begun, and lets it be paid', async () => {
    const meeting = await met();
    meeting.node.pay(meeting.peer.invoice(AMOUNT));
    quiesce(meeting);
    await meeting.flow();
    expect(meeting.ended).toEqual(['the channel was quiescent']);
    await meeting.connect();
    expect(outcomes(meeting.node)).toEqual(['succeeded']);
  });

  it('is where both ask at once ended by its funder', async () => {
    const meeting = await met('wide', 'b');
    quiesce(meeting);
    meeting.peer.turn(() => meeting.peer.manager.quiesce(existing(meeting.channels[0]).key));
    await meeting.flow();
    expect(meeting.heard('stfu')).toMatchObject([{ initiator: 1 }]);
    expect(meeting.heardFromPeer('stfu')).toMatchObject([{ initiator: 1 }]);
    expect([meeting.ended, meeting.isConnected]).toEqual([[], false]);
  });

  it('is never set apart for it', async () => {
    const meeting = await met();
    for (let time = 0; time < 5; time++) {
      expect(quiesce(meeting)).toBe(true);
      await meeting.flow();
      await meeting.connect();
    }
    expect(meeting.channels[0]?.connection).toBe('connected');
  });

  it('carries the payment that came meanwhile on its next connection', async () => {
    const meeting = await met();
    meeting.withheld = ({ kind }) => kind === 'stfu';
    quiesce(meeting);
    await meeting.flow();
    meeting.node.pay(meeting.peer.invoice(AMOUNT));
    await meeting.flow();
    expect([quiescence(meeting), meeting.heard('update_add_htlc')]).toEqual(['offered', []]);
    await meeting.disconnect();
    await meeting.connect();
    expect(outcomes(meeting.node)).toEqual(['succeeded']);
  });

  it('is closed on its next connection where its owner wants that meanwhile', async () => {
    const meeting = await met();
    meeting.withheld = ({ kind }) => kind === 'stfu';
    quiesce(meeting);
    await meeting.flow();
    meeting.node.turn(() => meeting.node.manager.closeChannel(existing(meeting.channels[0]).key));
    await meeting.flow();
    expect(meeting.heard('shutdown')).toEqual([]);
    await meeting.disconnect();
    await meeting.connect();
    expect(meeting.channels[0]?.state).toMatchObject({ kind: 'closed', reason: { kind: 'cooperative' } });
  });

  it('drops the payment that was held in it when it is closed alone', async () => {
    const meeting = await met();
    meeting.withheld = ({ kind }) => kind === 'stfu';
    quiesce(meeting);
    await meeting.flow();
    meeting.node.pay(meeting.peer.invoice(AMOUNT));
    meeting.node.turn(() => meeting.node.manager.forceCloseChannel(existing(meeting.channels[0]).key));
    await meeting.flow();
    expect(outcomes(meeting.node)).toEqual(['failed']);
  });
});

describe('a channel that cannot be made quiescent', () => {
  it.each<[string, (meeting: Meeting) => Promise<void> | void]>([
    ['while its peer is not there', (meeting) => meeting.disconnect()],
    [
      'while it is closed',
      (meeting) => meeting.node.turn(() => meeting.node.manager.closeChannel(existing(meeting.channels[0]).key)),
    ],
    ['while it is made quiescent already', (meeting) => void quiesce(meeting)],
    [
      'while its peer has asked',
      async (meeting) => {
        meeting.isPeerDeaf = true;
        await meeting.hear(stfu(meeting));
      },
    ],
  ])('is left as it is %s', async (_when, prepare) => {
    const meeting = await met();
    await prepare(meeting);
    const { state } = existing(meeting.channels[0]);
    expect(quiesce(meeting)).toBe(false);
    expect(meeting.channels[0]?.state).toBe(state);
  });

  it('is left as it is where the peer does not offer option_quiesce', async () => {
    const meeting = await met();
    await meeting.disconnect();
    const { node, peer } = meeting;
    node.turn(() => node.manager.peerConnected(peer.nodeId, 90, new Uint8Array(0)));
    peer.turn(() => peer.manager.peerConnected(node.nodeId, 90, new Uint8Array(0)));
    await meeting.flow();
    expect(quiesce(meeting)).toBe(false);
  });

  it('need not be there', async () => {
    const { node } = await met();
    expect(node.turn(() => node.manager.quiesce('00'.repeat(32)))).toBe(false);
  });
});

describe('a peer that holds up quiescence', () => {
  it('by never answering stfu is met anew after a minute', async () => {
    const meeting = await met();
    meeting.withheld = ({ kind }) => kind === 'stfu';
    quiesce(meeting);
    await meeting.flow();
    await meeting.pass(60);
    expect(meeting.ended).toEqual([]);
    await meeting.pass(1);
    expect(meeting.ended).toEqual(['no stfu within 60 seconds']);
    meeting.withheld = () => false;
    await meeting.connect();
    meeting.node.pay(meeting.peer.invoice(AMOUNT));
    await meeting.flow();
    expect(outcomes(meeting.node)).toEqual(['succeeded']);
  });

  it('by an update of its own is met anew after the same minute', async () => {
    const meeting = await met();
    meeting.isPeerDeaf = true;
    quiesce(meeting);
    await meeting.flow();
    await meeting.pass(30);
    meeting.peer.pay(meeting.node.invoice(AMOUNT));
    await meeting.flow();
    expect(openChannel(meeting).commitments.counterpartyNext.kind).toBe('awaitingRevocation');
    await meeting.pass(30);
    expect(meeting.ended).toEqual([]);
    await meeting.pass(1);
    expect(meeting.ended).toEqual(['no stfu within 60 seconds']);
  });

  it('by asking for it and doing nothing is met anew after a minute', async () => {
    const meeting = await met();
    meeting.isPeerDeaf = true;
    await meeting.hear(stfu(meeting));
    expect(meeting.heard('stfu')).toMatchObject([{ initiator: 0 }]);
    await meeting.pass(60);
    expect(meeting.ended).toEqual([]);
    await meeting.pass(1);
    expect(meeting.ended).toEqual(['no end of quiescence within 60 seconds']);
  });

  it('waits for a payment of ours that has begun, and holds back the next one', async () => {
    const meeting = await met();
    meeting.isPeerDeaf = true;
    meeting.node.pay(meeting.peer.invoice(AMOUNT));
    await meeting.flow();
    await meeting.hear(stfu(meeting));
    meeting.node.pay(meeting.peer.invoice(AMOUNT));
    await meeting.flow();
    expect([quiescence(meeting), meeting.heard('stfu')]).toEqual(['asked', []]);
    expect(meeting.heard('update_add_htlc')).toHaveLength(1);
    meeting.isPeerDeaf = false;
    await meeting.disconnect();
    await meeting.connect();
    expect(outcomes(meeting.node)).toEqual(['succeeded', 'succeeded']);
  });
});

describe('a preimage that is held', () => {
  it('is with the monitor at once, and with the peer on the next connection', async () => {
    const meeting = await holdingFulfill();
    const { node } = meeting;
    const hash = existing(node.manager.inboundPayments.all()[0]).paymentHash;
    const monitor = node.manager.chainMonitor.monitor(existing(meeting.channels[0]).key);
    expect(monitor?.preimages.has(toHex(hash))).toBe(true);
    expect(meeting.heard('update_fulfill_htlc')).toEqual([]);
    await meeting.disconnect();
    await meeting.connect();
    expect(meeting.heard('update_fulfill_htlc')).toHaveLength(1);
    expect(outcomes(meeting.peer)).toEqual(['succeeded']);
  });

  it('takes its HTLC in the chain where quiescence outlasts the deadline', async () => {
    const meeting = await holdingFulfill();
    const [htlc] = openChannel(meeting).commitments.holderCommit.spec.htlcs;
    while (meeting.channels[0]?.state.kind === 'open' && meeting.height < existing(htlc).cltvExpiry)
      await meeting.mine();
    expect(meeting.channels[0]?.state).toMatchObject({ kind: 'closed', reason: { kind: 'htlcDeadline' } });
    expect(existing(htlc).cltvExpiry - meeting.height).toBe(36);
  });
});
