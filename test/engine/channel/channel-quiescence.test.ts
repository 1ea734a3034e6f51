import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { receiveMessage } from '../../../worker/engine/channel/channel-messages.ts';
import { offerHtlc, proposeFee, removeHtlc } from '../../../worker/engine/channel/channel-operation.ts';
import { requestQuiescence } from '../../../worker/engine/channel/channel-quiescence.ts';
import { requestShutdown } from '../../../worker/engine/channel/channel-shutdown.ts';
import type { Quiescence } from '../../../worker/engine/channel/channel-state.ts';
import { isRemovable } from '../../../worker/engine/channel/commitments.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { feeratePerKw, msat } from '../../../worker/engine/primitives/units.ts';
import { featureSet } from '../../../worker/engine/wire/features.ts';
import type { Message, MessageOf } from '../../../worker/engine/wire/message.ts';
import { hear, OURS, THEIRS } from './closing-pair.ts';
import { exchange, openPair, passed, refused, type Party } from './party.ts';
import { step, take } from './steps.ts';

const PREIMAGE = new Uint8Array(32).fill(7);

const ask = (party: Party): void => party.apply(requestQuiescence(party.state));

const kinds = (party: Party): string[] => party.outbox.map(({ kind }) => kind);

const stfu = (party: Party, initiator: number): MessageOf<'stfu'> => ({
  kind: 'stfu',
  channelId: party.state.params.channelId,
  initiator,
  tlvs: {},
});

/** Delivers what one side has said, which the other takes. */
function deliver(from: Party, to: Party): void {
  for (const message of from.outbox.splice(0)) passed(to.receive(message));
}

function offerTo(party: Party, cltvExpiry = 300): void {
  const terms = { paymentHash: sha256(PREIMAGE), cltvExpiry, onion: new Uint8Array(1366) };
  const offered = offerHtlc(party.env, party.state, { ...terms, amountMsat: msat(5_000_000n) });
  if ('code' in offered) throw new Error(offered.code);
  party.apply(offered.transition);
}

/** A channel with one HTLC from each side in both commitments. */
function busyPair() {
  const { opener, fundee } = openPair();
  offerTo(opener);
  offerTo(fundee);
  exchange(opener, fundee);
  return { opener, fundee };
}

type Sides = ReturnType<typeof busyPair>;

/** What the opener may want to do at any time. */
const UPDATES: readonly [string, (opener: Party) => void][] = [
  ['update_add_htlc', (opener) => offerTo(opener)],
  [
    'update_fulfill_htlc',
    (opener) => opener.apply(removeHtlc(opener.state, { kind: 'fulfill', htlcId: 0n, preimage: PREIMAGE })),
  ],
  [
    'update_fail_htlc',
    (opener) => opener.apply(removeHtlc(opener.state, { kind: 'fail', htlcId: 0n, reason: new Uint8Array(292) })),
  ],
  [
    'update_fail_malformed_htlc',
    (opener) =>
      opener.apply(
        removeHtlc(opener.state, {
          kind: 'failMalformed',
          htlcId: 0n,
          sha256OfOnion: new Uint8Array(32),
          failureCode: 0xc005,
        }),
      ),
  ],
  ['update_fee', (opener) => opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(1500)))],
];

/** How far the opener can be with it, by what it takes to get there. */
const STAGES: readonly [Quiescence['kind'], (sides: Sides) => void][] = [
  [
    'wanted',
    ({ opener }) => {
      opener.offer(1_000_000n, 3);
      ask(opener);
    },
  ],
  [
    'asked',
    ({ opener }) => {
      opener.offer(1_000_000n, 3);
      passed(opener.receive(stfu(opener, 1)));
    },
  ],
  [
    'offered',
    ({ opener }) => {
      ask(opener);
      opener.sign();
    },
  ],
  [
    'quiescent',
    ({ opener, fundee }) => {
      ask(fundee);
      exchange(opener, fundee);
    },
  ],
];

/** The opener at a stage, with nothing of what it said before left to deliver. */
function staged(reach: (sides: Sides) => void): Sides {
  const sides = busyPair();
  reach(sides);
  return sides;
}

describe('stfu of the initiator', () => {
  it('is said at once where no update of ours is pending, whatever HTLCs there are', () => {
    const { opener } = busyPair();
    ask(opener);
    opener.sign();
    expect(opener.outbox).toEqual([stfu(opener, 1)]);
  });

  it.each(UPDATES)('waits until our %s is in both commitments for good', (_kind, update) => {
    const { opener, fundee } = busyPair();
    update(opener);
    ask(opener);
    opener.sign();
    deliver(opener, fundee);
    fundee.sign();
    const answers = fundee.outbox.splice(0);
    expect(answers.map(({ kind }) => kind)).toEqual(['revoke_and_ack', 'commitment_signed']);
    for (const message of answers) {
      opener.sign();
      expect(opener.outbox).toEqual([]);
      passed(opener.receive(message));
    }
    opener.sign();
    expect(kinds(opener)).toEqual(['revoke_and_ack', 'stfu']);
  });

  it('does not wait for updates of the counterparty, which come before its own', () => {
    const { opener, fundee } = busyPair();
    fundee.offer(1_000_000n, 3);
    fundee.sign();
    ask(opener);
    opener.sign();
    deliver(opener, fundee);
    fundee.sign();
    expect(kinds(fundee)).toEqual(['update_add_htlc', 'commitment_signed']);
    exchange(opener, fundee);
    expect(opener.state.commitments.holderCommit.spec.htlcs).toHaveLength(3);
    expect(opener.state.quiescence).toEqual({ kind: 'quiescent', initiator: 'holder' });
  });

  it('is said once', () => {
    const { opener } = busyPair();
    ask(opener);
    opener.sign();
    ask(opener);
    opener.sign();
    expect(kinds(opener)).toEqual(['stfu']);
  });

  it.each<[string, (opener: Party) => void]>([
    ['before channel_ready', (opener) => (opener.state = { ...opener.state, counterpartyReady: false })],
    ['after shutdown', (opener) => opener.apply(requestShutdown(opener.state, OURS))],
    ['once the counterparty has asked', (opener) => void passed(opener.receive(stfu(opener, 1)))],
  ])('is not asked for %s', (_when, prepare) => {
    const { opener } = openPair();
    prepare(opener);
    const before = opener.state;
    ask(opener);
    expect(opener.state).toBe(before);
  });
});

describe('stfu of the counterparty', () => {
  it('is answered at once where no update of ours is pending', () => {
    const { opener, fundee } = busyPair();
    ask(opener);
    opener.sign();
    deliver(opener, fundee);
    fundee.sign();
    expect(fundee.outbox).toEqual([stfu(fundee, 0)]);
    expect(fundee.state.quiescence).toEqual({ kind: 'quiescent', initiator: 'counterparty' });
    const { facts } = passed(opener.receive(fundee.take('stfu')));
    expect(facts).toEqual([{ kind: 'quiescent', initiator: 'holder' }]);
  });

  it.each(UPDATES)('is answered once our %s is in both commitments for good', (_kind, update) => {
    const { opener, fundee } = busyPair();
    update(opener);
    ask(fundee);
    fundee.sign();
    deliver(fundee, opener);
    opener.sign();
    expect(kinds(opener)).not.toContain('stfu');
    exchange(opener, fundee);
    expect(opener.state.quiescence).toEqual({ kind: 'quiescent', initiator: 'counterparty' });
    expect(fundee.state.quiescence).toEqual({ kind: 'quiescent', initiator: 'holder' });
  });

  it('that crosses ours makes the funder the initiator', () => {
    const { opener, fundee } = busyPair();
    for (const party of [opener, fundee]) {
      ask(party);
      party.sign();
    }
    const [first, second] = [opener.take('stfu'), fundee.take('stfu')];
    expect([first.initiator, second.initiator]).toEqual([1, 1]);
    expect(passed(opener.receive(second)).facts).toEqual([{ kind: 'quiescent', initiator: 'holder' }]);
    expect(passed(fundee.receive(first)).facts).toEqual([{ kind: 'quiescent', initiator: 'counterparty' }]);
  });

  it('comes before one that we only wanted to say: ours is the answer', () => {
    const { opener, fundee } = busyPair();
    opener.offer(1_000_000n, 3);
    ask(opener);
    ask(fundee);
    fundee.sign();
    deliver(fundee, opener);
    exchange(opener, fundee);
    expect(opener.state.quiescence).toEqual({ kind: 'quiescent', initiator: 'counterparty' });
  });

  it('makes the channel quiescent on both sides, whatever was under way and whoever asked', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), fc.boolean(), (steps, bothAsk) => {
        const { opener, fundee } = openPair();
        for (const each of steps) {
          const [from, to] = each.who === 'opener' ? [opener, fundee] : [fundee, opener];
          take(from, to, each);
        }
        ask(opener);
        if (bothAsk) ask(fundee);
        exchange(opener, fundee);
        const [ours, theirs] = [opener.state, fundee.state];
        if (ours.quiescence.kind !== 'quiescent' || theirs.quiescence.kind !== 'quiescent')
          throw new Error(`${ours.quiescence.kind} and ${theirs.quiescence.kind}`);
        expect(ours.quiescence.initiator).not.toBe(theirs.quiescence.initiator);
        for (const { held: _, ...changes } of [ours, theirs].map(({ commitments }) => commitments.holderChanges))
          expect(changes).toEqual({ proposed: [], signed: [], acked: [] });
        expect(ours.commitments.holderCommit.number).toBe(theirs.commitments.counterpartyCommit.number);
      }),
      { numRuns: 60 },
    );
  });
});

describe.each(STAGES)('an update of ours while quiescence is %s', (stage, reach) => {
  it.each(UPDATES)('is held: %s', (kind, update) => {
    const { opener } = staged(reach);
    expect(opener.state.quiescence.kind).toBe(stage);
    opener.outbox.length = 0;
    update(opener);
    opener.sign();
    expect(kinds(opener)).not.toContain(kind);
    expect(opener.state.commitments.holderChanges.held).toHaveLength(kind === 'update_fee' ? 0 : 1);
  });

  it('is held: shutdown', () => {
    const { opener } = staged(reach);
    opener.outbox.length = 0;
    opener.apply(requestShutdown(opener.state, OURS));
    expect([kinds(opener), opener.state.shutdown]).toMatchObject([[], { kind: 'holder', sent: false }]);
  });

  it('brings its preimage to the monitor at once', () => {
    const { opener } = staged(reach);
    const removed = removeHtlc(opener.state, { kind: 'fulfill', htlcId: 0n, preimage: PREIMAGE });
    expect(removed.steps).toEqual([{ kind: 'paymentPreimage', preimage: PREIMAGE }]);
  });

  it('is decided for good: the same HTLC is removed once, and each HTLC has an id of its own', () => {
    const { opener } = staged(reach);
    opener.apply(removeHtlc(opener.state, { kind: 'fail', htlcId: 0n, reason: new Uint8Array(292) }));
    const { state } = opener;
    expect(isRemovable(state.commitments, 0n)).toBe(false);
    opener.apply(removeHtlc(opener.state, { kind: 'fulfill', htlcId: 0n, preimage: PREIMAGE }));
    expect(opener.state).toBe(state);
    const next = state.commitments.nextHolderHtlcId;
    for (const id of [next, next + 1n]) {
      offerTo(opener);
      expect(opener.state.commitments.holderChanges.held.at(-1)).toMatchObject({ kind: 'add', htlc: { id } });
    }
  });

  it('counts against the limits of what comes after it', () => {
    const { opener } = staged(reach);
    const most = opener.state.params.counterparty.maxAcceptedHtlcs;
    const refusals = Array.from({ length: most }, () => opener.offer(2_000_000n));
    expect([refusals[0], refusals.at(-1)]).toEqual([undefined, 'TooManyHtlcs']);
  });
});

describe('a counterparty that has said stfu', () => {
  const { channelId } = openPair().opener.state.params;
  const messages: readonly Message[] = [
    {
      kind: 'update_add_htlc',
      channelId,
      id: 1n,
      amountMsat: 1_000_000n,
      paymentHash: new Uint8Array(32),
      cltvExpiry: 300,
      onionRoutingPacket: new Uint8Array(1366),
      tlvs: {},
    },
    { kind: 'update_fulfill_htlc', channelId, id: 0n, paymentPreimage: PREIMAGE, tlvs: {} },
    { kind: 'update_fail_htlc', channelId, id: 0n, reason: new Uint8Array(292), tlvs: {} },
    {
      kind: 'update_fail_malformed_htlc',
      channelId,
      id: 0n,
      sha256OfOnion: new Uint8Array(32),
      failureCode: 0xc005,
      tlvs: {},
    },
    { kind: 'update_fee', channelId, feeratePerKw: 1500, tlvs: {} },
    { kind: 'shutdown', channelId, scriptpubkey: THEIRS, tlvs: {} },
  ];

  it.each(
    messages.flatMap((message) => [
      [message.kind, 'asked', message] as const,
      [message.kind, 'quiescent', message] as const,
    ]),
  )('must not say %s while quiescence is %s', (kind, stage, message) => {
    const { opener, fundee } = busyPair();
    const taken = kind === 'update_fee' ? fundee : opener;
    if (stage === 'asked') taken.offer(1_000_000n, 3);
    passed(taken.receive(stfu(taken, 1)));
    taken.sign();
    expect(taken.state.quiescence.kind).toBe(stage);
    expect(refused(taken.receive(message))).toEqual({
      kind: 'violation',
      severity: 'warn',
      reason: `${kind} after stfu`,
    });
  });

  it('still signs our updates, and nothing once we have said it too', () => {
    const { opener, fundee } = busyPair();
    opener.offer(1_000_000n, 3);
    passed(opener.receive(stfu(opener, 1)));
    opener.sign();
    deliver(opener, fundee);
    fundee.sign();
    const [, signed] = fundee.outbox;
    deliver(fundee, opener);
    opener.sign();
    expect(kinds(opener)).toEqual(['revoke_and_ack', 'stfu']);
    if (signed === undefined) throw new Error('nothing was signed');
    expect(refused(opener.receive(signed)).reason).toBe('commitment_signed after stfu');
  });

  it('must not say it twice', () => {
    const { opener } = busyPair();
    opener.offer(1_000_000n, 3);
    passed(opener.receive(stfu(opener, 1)));
    expect(refused(opener.receive(stfu(opener, 1)))).toMatchObject({ severity: 'warn', reason: 'stfu came again' });
  });

  it('must not say it twice in a quiescent channel', () => {
    const { opener, fundee } = busyPair();
    ask(opener);
    exchange(opener, fundee);
    for (const party of [opener, fundee])
      expect(refused(party.receive(stfu(party, 0)))).toMatchObject({ severity: 'warn', reason: 'stfu came again' });
  });

  it.each<[string, (sides: Sides) => void]>([
    ['that is not signed', ({ fundee }) => fundee.offer(1_000_000n, 3)],
    [
      'that we have not signed',
      ({ fundee }) => {
        fundee.offer(1_000_000n, 3);
        fundee.sign();
      },
    ],
  ])('must not have an update pending %s', (_how, prepare) => {
    const sides = busyPair();
    prepare(sides);
    deliver(sides.fundee, sides.opener);
    expect(refused(sides.opener.receive(stfu(sides.opener, 1)))).toMatchObject({
      severity: 'warn',
      reason: 'stfu with updates pending',
    });
  });

  it('must not have an update pending that it has not revoked the commitment before', () => {
    const { opener, fundee } = busyPair();
    fundee.offer(1_000_000n, 3);
    fundee.sign();
    deliver(fundee, opener);
    opener.sign();
    expect(kinds(opener)).toEqual(['revoke_and_ack', 'commitment_signed']);
    expect(refused(opener.receive(stfu(opener, 1))).reason).toBe('stfu with updates pending');
  });

  it.each<[string, (opener: Party) => void, string]>([
    ['without option_quiesce', () => undefined, 'stfu without option_quiesce'],
    [
      'before our channel_ready',
      (opener) => (opener.state = { ...opener.state, holderReadySent: false }),
      'stfu before channel_ready',
    ],
    [
      'before its channel_ready',
      (opener) => (opener.state = { ...opener.state, counterpartyReady: false }),
      'stfu before channel_ready',
    ],
    ['after its shutdown', (opener) => opener.apply(passed(hear(opener, THEIRS))), 'stfu after shutdown'],
  ])('must not say it %s', (when, prepare, reason) => {
    const { opener } = openPair();
    prepare(opener);
    const peerFeatures = featureSet(when === 'without option_quiesce' ? {} : { option_quiesce: 'optional' });
    const context = { peerFeatures, trustedForZeroConf: false, shutdownScript: OURS, newAlias: () => 0n };
    const outcome = receiveMessage(opener.env, opener.state, stfu(opener, 1), context);
    expect(outcome).toEqual({ kind: 'violation', severity: 'warn', reason });
  });

  it('answers one of ours, or asks for itself', () => {
    const { opener } = openPair();
    expect(refused(opener.receive(stfu(opener, 0)))).toMatchObject({
      severity: 'warn',
      reason: 'stfu answers one that was not said',
    });
  });
});

describe('shutdown and stfu that cross', () => {
  it('close the channel, and the stfu is as if it had not been said', () => {
    const { opener, fundee } = busyPair();
    ask(opener);
    opener.sign();
    fundee.apply(requestShutdown(fundee.state, THEIRS));
    offerTo(opener);
    const [said, closing] = [opener.take('stfu'), fundee.take('shutdown')];
    const before = fundee.state;
    expect(passed(fundee.receive(said)).state).toBe(before);
    passed(opener.receive(closing));
    expect(opener.state.quiescence).toEqual({ kind: 'none' });
    expect(kinds(opener)).toEqual(['update_add_htlc']);
    exchange(opener, fundee);
    expect(opener.state.commitments.counterpartyCommit.spec.htlcs).toHaveLength(3);
  });

  it('end a wish of ours that was not said', () => {
    const { opener, fundee } = busyPair();
    opener.offer(1_000_000n, 3);
    ask(opener);
    fundee.apply(requestShutdown(fundee.state, THEIRS));
    passed(opener.receive(fundee.take('shutdown')));
    expect(opener.state).toMatchObject({ quiescence: { kind: 'none' }, shutdown: { kind: 'both', sent: false } });
  });

  it('leave a shutdown of ours that was not said yet for later', () => {
    const { opener, fundee } = busyPair();
    opener.offer(1_000_000n, 3);
    opener.apply(requestShutdown(opener.state, OURS));
    ask(fundee);
    exchange(opener, fundee);
    expect(opener.state).toMatchObject({
      quiescence: { kind: 'quiescent', initiator: 'counterparty' },
      shutdown: { kind: 'holder', sent: false },
    });
  });
});
