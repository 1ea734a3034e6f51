import { describe, expect, it } from 'vitest';
import { channelIdOf } from '../../../worker/engine/manager/channel-entry.ts';
import { defaultChannelConfig } from '../../../worker/engine/channel/channel-config.ts';
import { commitmentSigned } from '../../../worker/engine/channel/channel-operation.ts';
import { signCounterpartyCommitment } from '../../../worker/engine/channel/commitment-signatures.ts';
import type { MessageOf } from '../../../worker/engine/wire/message.ts';
import { fakeSecp256k1 } from '../../simulation/fake-secp256k1.ts';
import { feeratesOf } from '../channel/feerates.ts';
import { existing } from './existing.ts';
import { Meeting } from './meeting.ts';

/** What signing needs beside the signer. */
const ENV = {
  secp: fakeSecp256k1,
  config: defaultChannelConfig,
  counterpartySecrets: [],
  blockHeight: 0,
  feerates: feeratesOf(1000),
} as const;

async function connected(start: 'wide' | 'empty' = 'wide'): Promise<Meeting> {
  const meeting = await Meeting.begin(start, 'b');
  await meeting.connect();
  return meeting;
}

/** The `open_channel` of an honest peer, which it can say again under other names. */
async function openMessage(): Promise<MessageOf<'open_channel'>> {
  const opener = await Meeting.begin('empty', 'a');
  await opener.connect();
  opener.node.open(opener.peer, 500_000n);
  await opener.flow();
  return existing(opener.heard('open_channel')[0]);
}

describe('open_channel in a row (S5)', () => {
  it('is refused above what is allowed, also over several connections, and costs no keys then', async () => {
    const meeting = await connected('empty');
    const message = await openMessage();
    const name = (index: number) => ({ ...message, temporaryChannelId: new Uint8Array(32).fill(index) });
    for (let index = 1; index <= 12; index++) {
      if (index === 6) await meeting.disconnect();
      if (index === 6) await meeting.connect();
      await meeting.hear(name(index));
    }
    expect(meeting.heard('accept_channel').length).toBeGreaterThan(0);
    const refused = meeting.heard('error').map(({ data }) => String.fromCharCode(...data));
    expect(refused.filter((text) => text === 'too many channels were opened lately')).toHaveLength(2);
    expect(meeting.isConnected).toBe(true);
    meeting.now += 30_000;
    await meeting.hear(name(13));
    expect(meeting.heard('error').map(({ data }) => String.fromCharCode(...data))).toEqual([
      'too many channels of yours wait for their funding',
    ]);
  });
});

describe('commitment_signed without any change', () => {
  /** The peer signs the next commitment with what is in it already. */
  function signedAgain(meeting: Meeting): MessageOf<'commitment_signed'> {
    const [ours, theirs] = [meeting.node, meeting.peer].map(({ manager }) => existing(manager.channels()[0]));
    if (ours?.state.kind !== 'open' || theirs?.state.kind !== 'open') throw new Error('the channel is not open');
    const number = ours.state.commitments.holderCommit.number + 1;
    const { spec } = theirs.state.commitments.counterpartyCommit;
    const env = { ...ENV, signer: theirs.signer };
    const commit = { number, spec, perCommitmentPoint: ours.signer.perCommitmentPoint(number) };
    const signatures = signCounterpartyCommitment(env, theirs.state.params, commit);
    return commitmentSigned(theirs.state.params.channelId, signatures) as MessageOf<'commitment_signed'>;
  }

  it('is taken as often as lnd may send it, and then ends the connection and not the channel', async () => {
    const meeting = await connected();
    meeting.isPeerDeaf = true;
    for (let time = 1; time <= 10; time++) {
      await meeting.hear(signedAgain(meeting));
      const { perCommitmentSecret } = existing(meeting.heard('revoke_and_ack')[0]);
      existing(meeting.peer.manager.channels()[0]).signer.counterpartyRevoked(time - 1, perCommitmentSecret);
    }
    const entry = existing(meeting.channels[0]);
    expect(entry.state).toMatchObject({ kind: 'open', commitments: { holderCommit: { number: 10 } } });
    expect(meeting.node.manager.chainMonitor.monitor(entry.key)?.holderCommitment.number).toBe(10);
    await meeting.hear(signedAgain(meeting));
    expect(meeting.ended).toEqual(['commitment_signed without any change again and again']);
    expect(entry.state).toMatchObject({ kind: 'open', commitments: { holderCommit: { number: 10 } } });
  });
});

describe('what comes in one chunk', () => {
  it('is not taken behind a violation', async () => {
    const meeting = await connected();
    const entry = existing(meeting.channels[0]);
    const channelId = channelIdOf(entry);
    const wrong = { kind: 'update_fulfill_htlc', channelId, id: 9n, paymentPreimage: channelId, tlvs: {} } as const;
    const fatal = { kind: 'error', channelId, data: new Uint8Array(0), tlvs: {} } as const;
    await meeting.hear(wrong, fatal, wrong);
    expect([meeting.heard('warning').length, meeting.ended.length]).toEqual([1, 1]);
    expect(entry.state.kind).toBe('open');
    await meeting.connect();
    expect(entry.connection).toBe('connected');
  });
});
