import { concat, fromUtf8, toUtf8 } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { feeratePerKw, msat } from '../primitives/units.ts';
import type { SignerState } from '../keys/signer-state.ts';
import {
  htlcFromRecord,
  htlcToRecord,
  sourceFromRecord,
  sourceSchema,
  sourceToRecord,
  type OnionLookup,
} from '../monitor/channel-records.ts';
import { htlcKey, type ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { HtlcSource } from '../transactions/htlc-source.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import type { Change, CommitmentSpec } from '../transactions/commitment-spec.ts';
import type { ValueOf } from '../wire/schema.ts';
import { recordFormat } from '../wire/stored-record.ts';
import type {
  CloseReason,
  ClosedChannel,
  ClosingTerms,
  Funding,
  OpenChannel,
  Shutdown,
  UnseenFunding,
} from './channel-state.ts';
import { allHtlcs, type CounterpartyNext } from './commitments.ts';
import { afterDisconnection } from './channel-reestablish.ts';

/** HTLCs are stored once and named by their place in that list: the record is written at every step of a payment. */
const specSchema = {
  kind: 'struct',
  fields: {
    feeratePerKw: 'u32',
    toHolderMsat: 'u64',
    toCounterpartyMsat: 'u64',
    htlcs: { kind: 'counted', of: 'u16' },
  },
} as const;

const changesSchema = {
  kind: 'rest',
  of: { kind: 'struct', fields: { kind: 'u8', htlcId: 'u64', content: 'bytes' } },
} as const;

/** 0 where there is nothing to say. */
const closingSchema = {
  kind: 'struct',
  fields: { acceptedSat: 'u64', raisedToSat: 'u64', disputedSinceHeight: 'u32', agreedSat: 'u64' },
} as const;

const openRecord = recordFormat(
  'channel',
  1,
  {
    htlcs: [
      2,
      {
        kind: 'rest',
        of: {
          kind: 'struct',
          fields: { outbound: 'u8', id: 'u64', amountMsat: 'u64', paymentHash: 'sha256', cltvExpiry: 'u32' },
        },
      },
    ],
    holderCommit: [4, { kind: 'struct', fields: { number: 'u64', spec: specSchema } }],
    counterpartyCommit: [
      6,
      {
        kind: 'struct',
        fields: { number: 'u64', perCommitmentPoint: { kind: 'fixed', length: 33 }, spec: specSchema },
      },
    ],
    nextPoint: [8, 'remaining'],
    awaiting: [
      10,
      {
        kind: 'rest',
        of: {
          kind: 'struct',
          fields: {
            sentAfterHolderNumber: 'u64',
            perCommitmentPoint: { kind: 'fixed', length: 33 },
            spec: specSchema,
          },
        },
      },
    ],
    holderProposed: [12, changesSchema],
    holderSigned: [14, changesSchema],
    holderAcked: [16, changesSchema],
    counterpartyAcked: [18, changesSchema],
    counterpartySigned: [20, changesSchema],
    nextIds: [22, { kind: 'struct', fields: { holder: 'u64', counterparty: 'u64' } }],
    funding: [24, { kind: 'struct', fields: { confirmed: 'u8', height: 'u32', transactionIndex: 'u32' } }],
    ready: [26, { kind: 'struct', fields: { holderSent: 'u8', counterparty: 'u8' } }],
    aliases: [28, { kind: 'struct', fields: { holder: 'u64', counterparty: 'u64' } }],
    shutdown: [30, { kind: 'struct', fields: { stage: 'u8', sent: 'u8', holder: 'bytes', counterparty: 'bytes' } }],
    signerSigned: [
      32,
      {
        kind: 'rest',
        of: {
          kind: 'struct',
          fields: { number: 'u64', sighash: 'sha256', perCommitmentPoint: { kind: 'fixed', length: 33 } },
        },
      },
    ],
    signerCounts: [34, { kind: 'struct', fields: { counterpartyRevoked: 'u64', holderReleased: 'u64' } }],
    signerHolder: [36, { kind: 'rest', of: { kind: 'struct', fields: { number: 'u64', sighash: 'sha256' } } }],
  },
  {
    closing: [31, closingSchema],
    closingDisputedAt: [33, 'u32'],
    beganAtHeight: [37, 'u32'],
    fundingConflict: [39, { kind: 'struct', fields: { txid: 'sha256', height: 'u32' } }],
    // Even: a program that took a forward for a payment of ours would never answer the HTLC that it passes on.
    sources: [40, { kind: 'rest', of: sourceSchema }],
  },
);

const closedRecord = recordFormat(
  'closed channel',
  1,
  {
    reason: [2, 'u8'],
    message: [4, 'remaining'],
    holderMsat: [6, 'u64'],
  },
  {
    /** Of a fundee's unseen funding, and only there. */
    forgetAtHeight: [7, 'u32'],
    /** The opener's funding is unseen. */
    unseen: [9, 'flag'],
    fundingConflict: [11, { kind: 'struct', fields: { txid: 'sha256', height: 'u32' } }],
  },
);

type StoredSpec = ValueOf<typeof specSchema>;
type StoredChange = ValueOf<typeof changesSchema.of>;

const CHANGES: readonly Change['kind'][] = ['add', 'fulfill', 'fail', 'failMalformed', 'fee'];
const REASONS: readonly CloseReason['kind'][] = [
  'cooperative',
  'holderForceClosed',
  'violation',
  'counterpartyError',
  'counterpartyForceClosed',
  'stale',
  'fundingTimedOut',
  'fundingInvalid',
  'fundingReplaced',
  'counterpartyLostState',
  'channelBehind',
  'monitorBehind',
  'htlcDeadline',
];

/** An open channel with its signer's state, but for its parameters, onions and funding transaction. */
export function encodeOpenChannel(channel: OpenChannel, signer: SignerState): Uint8Array {
  const { commitments } = afterDisconnection(channel);
  const htlcs = allHtlcs(commitments);
  const places = new Map([...htlcs.keys()].map((key, place) => [key, place]));
  const spec = (value: CommitmentSpec): StoredSpec => ({
    feeratePerKw: value.feeratePerKw,
    toHolderMsat: value.toHolderMsat,
    toCounterpartyMsat: value.toCounterpartyMsat,
    htlcs: value.htlcs.map((htlc) => places.get(htlcKey(htlc)) ?? 0),
  });
  const { holderChanges, counterpartyChanges, counterpartyNext, counterpartyCommit, holderCommit } = commitments;
  const { funding, shutdown } = channel;
  const confirmed = funding.kind === 'confirmed';
  return openRecord.encode({
    htlcs: [...htlcs.values()].map(htlcToRecord),
    holderCommit: { number: BigInt(holderCommit.number), spec: spec(holderCommit.spec) },
    counterpartyCommit: {
      number: BigInt(counterpartyCommit.number),
      perCommitmentPoint: counterpartyCommit.perCommitmentPoint,
      spec: spec(counterpartyCommit.spec),
    },
    nextPoint: counterpartyNext.kind === 'ready' ? counterpartyNext.perCommitmentPoint : new Uint8Array(0),
    awaiting:
      counterpartyNext.kind !== 'awaitingRevocation'
        ? []
        : [
            {
              sentAfterHolderNumber: BigInt(counterpartyNext.sentAfterHolderNumber),
              perCommitmentPoint: counterpartyNext.commit.perCommitmentPoint,
              spec: spec(counterpartyNext.commit.spec),
            },
          ],
    holderProposed: holderChanges.proposed.map(changeToRecord),
    holderSigned: holderChanges.signed.map(changeToRecord),
    holderAcked: holderChanges.acked.map(changeToRecord),
    counterpartyAcked: counterpartyChanges.acked.map(changeToRecord),
    counterpartySigned: counterpartyChanges.signed.map(changeToRecord),
    nextIds: { holder: commitments.nextHolderHtlcId, counterparty: commitments.nextCounterpartyHtlcId },
    funding: {
      confirmed: confirmed ? 1 : 0,
      height: confirmed ? funding.height : 0,
      transactionIndex: confirmed ? funding.transactionIndex : 0,
    },
    ready: { holderSent: channel.holderReadySent ? 1 : 0, counterparty: channel.counterpartyReady ? 1 : 0 },
    aliases: { holder: channel.holderAlias, counterparty: channel.counterpartyAlias },
    shutdown: {
      stage: ['none', 'holder', 'both'].indexOf(shutdown.kind),
      sent: shutdown.kind !== 'none' && shutdown.sent ? 1 : 0,
      holder: shutdown.kind === 'none' ? new Uint8Array(0) : shutdown.holderScript,
      counterparty: shutdown.kind === 'both' ? shutdown.counterpartyScript : new Uint8Array(0),
    },
    ...(shutdown.kind === 'none' ? {} : termsToRecord(shutdown.terms)),
    signerSigned: signer.counterpartySigned.map(({ commitmentNumber, sighash, perCommitmentPoint }) => ({
      number: BigInt(commitmentNumber),
      sighash,
      perCommitmentPoint,
    })),
    signerCounts: {
      counterpartyRevoked: BigInt(signer.counterpartyRevoked),
      holderReleased: BigInt(signer.holderReleased),
    },
    signerHolder: signer.holderSigned.map(({ commitmentNumber, sighash }) => ({
      number: BigInt(commitmentNumber),
      sighash,
    })),
    ...(channel.beganAtHeight === undefined ? {} : { beganAtHeight: channel.beganAtHeight }),
    ...sourcesToRecord([...htlcs.values()]),
    ...(funding.kind === 'unconfirmed' && funding.conflict !== undefined ? { fundingConflict: funding.conflict } : {}),
  });
}

/** What an open channel's record is read back with. */
export interface StoredParts {
  readonly params: ChannelParameters;
  readonly onionOf: OnionLookup;
  /** The opener's funding transaction; empty for the other side. */
  readonly fundingTransaction: Uint8Array;
}

/** Throws what `RecordFormat.decode` throws. */
export function decodeOpenChannel(
  bytes: Uint8Array,
  { params, onionOf, fundingTransaction }: StoredParts,
): { readonly channel: OpenChannel; readonly signer: SignerState } {
  const stored = openRecord.decode(bytes);
  const sources = new Map(stored.sources?.map(sourceFromRecord));
  const htlcs = stored.htlcs.map((each) => withSource(htlcFromRecord(each, onionOf), sources));
  const spec = (value: StoredSpec): CommitmentSpec => ({
    feeratePerKw: feeratePerKw(value.feeratePerKw),
    toHolderMsat: msat(value.toHolderMsat),
    toCounterpartyMsat: msat(value.toCounterpartyMsat),
    htlcs: value.htlcs.map((place) => known(htlcs[place], 'HTLC')),
  });
  const changes = (direction: ChannelHtlc['direction'], list: readonly StoredChange[]): readonly Change[] =>
    list.map((change) => changeFromRecord(change, direction, htlcs));
  const counterpartyNumber = Number(stored.counterpartyCommit.number);
  const [awaiting] = stored.awaiting;
  const counterpartyNext: CounterpartyNext =
    awaiting !== undefined
      ? {
          kind: 'awaitingRevocation',
          commit: {
            number: counterpartyNumber + 1,
            perCommitmentPoint: awaiting.perCommitmentPoint,
            spec: spec(awaiting.spec),
          },
          sentAfterHolderNumber: Number(awaiting.sentAfterHolderNumber),
        }
      : stored.nextPoint.length === 0
        ? { kind: 'awaitingReady' }
        : { kind: 'ready', perCommitmentPoint: stored.nextPoint };
  const funding: Funding =
    stored.funding.confirmed === 1
      ? {
          kind: 'confirmed',
          height: stored.funding.height,
          transactionIndex: stored.funding.transactionIndex,
          transaction: fundingTransaction,
        }
      : {
          kind: 'unconfirmed',
          transaction: fundingTransaction,
          ...(stored.fundingConflict === undefined ? {} : { conflict: stored.fundingConflict }),
        };
  return {
    channel: {
      kind: 'open',
      params,
      funding,
      holderReadySent: stored.ready.holderSent === 1,
      counterpartyReady: stored.ready.counterparty === 1,
      holderAlias: stored.aliases.holder,
      counterpartyAlias: stored.aliases.counterparty,
      shutdown: shutdownFromRecord(stored.shutdown, termsFromRecord(stored)),
      quiescence: { kind: 'none' },
      beganAtHeight: stored.beganAtHeight,
      commitments: {
        holderChanges: {
          held: [],
          proposed: changes('outbound', stored.holderProposed),
          signed: changes('outbound', stored.holderSigned),
          acked: changes('outbound', stored.holderAcked),
        },
        counterpartyChanges: {
          proposed: [],
          acked: changes('inbound', stored.counterpartyAcked),
          signed: changes('inbound', stored.counterpartySigned),
        },
        nextHolderHtlcId: stored.nextIds.holder,
        nextCounterpartyHtlcId: stored.nextIds.counterparty,
        holderCommit: { number: Number(stored.holderCommit.number), spec: spec(stored.holderCommit.spec) },
        counterpartyCommit: {
          number: counterpartyNumber,
          perCommitmentPoint: stored.counterpartyCommit.perCommitmentPoint,
          spec: spec(stored.counterpartyCommit.spec),
        },
        counterpartyNext,
      },
    },
    signer: {
      counterpartySigned: stored.signerSigned.map(({ number, sighash, perCommitmentPoint }) => ({
        commitmentNumber: Number(number),
        sighash,
        perCommitmentPoint,
      })),
      counterpartyRevoked: Number(stored.signerCounts.counterpartyRevoked),
      holderReleased: Number(stored.signerCounts.holderReleased),
      holderSigned: stored.signerHolder.map(({ number, sighash }) => ({ commitmentNumber: Number(number), sighash })),
    },
  };
}

function sourcesToRecord(htlcs: readonly ChannelHtlc[]): Pick<ReturnType<typeof openRecord.decode>, 'sources'> {
  const sources = htlcs.flatMap(({ id, source }) => (source === undefined ? [] : [sourceToRecord(id, source)]));
  return sources.length === 0 ? {} : { sources };
}

function withSource(htlc: ChannelHtlc, sources: ReadonlyMap<bigint, HtlcSource>): ChannelHtlc {
  const source = htlc.direction === 'outbound' ? sources.get(htlc.id) : undefined;
  return source === undefined ? htlc : { ...htlc, source };
}

/** All but the parameters and the funding transaction. */
export function encodeClosedChannel({ reason, holderMsat, unseenFunding }: ClosedChannel): Uint8Array {
  const message =
    reason.kind === 'cooperative'
      ? reason.transaction
      : 'message' in reason
        ? fromUtf8(reason.message)
        : new Uint8Array(0);
  return closedRecord.encode({
    reason: REASONS.indexOf(reason.kind),
    message,
    holderMsat,
    ...(unseenFunding === undefined ? {} : unseenToRecord(unseenFunding)),
  });
}

/** Throws what `RecordFormat.decode` throws. */
export function decodeClosedChannel(
  bytes: Uint8Array,
  { params, fundingTransaction }: Omit<StoredParts, 'onionOf'>,
): ClosedChannel {
  const stored = closedRecord.decode(bytes);
  const kind = known(REASONS[stored.reason], 'reason');
  const reason: CloseReason =
    kind === 'cooperative'
      ? { kind, transaction: stored.message }
      : kind === 'violation' || kind === 'counterpartyError' || kind === 'fundingInvalid'
        ? { kind, message: toUtf8(stored.message) }
        : { kind };
  const unseenFunding = unseenFromRecord(stored, fundingTransaction);
  return { kind: 'closed', params, reason, holderMsat: msat(stored.holderMsat), unseenFunding };
}

type StoredUnseen = Pick<ReturnType<typeof closedRecord.decode>, 'forgetAtHeight' | 'unseen' | 'fundingConflict'>;

const unseenToRecord = ({ forgetAtHeight, conflict }: UnseenFunding): StoredUnseen => ({
  ...(forgetAtHeight === undefined ? { unseen: true } : { forgetAtHeight }),
  ...(conflict === undefined ? {} : { fundingConflict: conflict }),
});

function unseenFromRecord(
  { forgetAtHeight, unseen, fundingConflict }: StoredUnseen,
  transaction: Uint8Array,
): UnseenFunding | undefined {
  if (forgetAtHeight === undefined && unseen === undefined) return undefined;
  const conflict = fundingConflict === undefined ? {} : { conflict: fundingConflict };
  return { kind: 'unconfirmed', transaction, forgetAtHeight, ...conflict };
}

function changeToRecord(change: Change): StoredChange {
  const kind = CHANGES.indexOf(change.kind);
  switch (change.kind) {
    case 'add':
      return { kind, htlcId: change.htlc.id, content: new Uint8Array(0) };
    case 'fulfill':
      return { kind, htlcId: change.htlcId, content: change.preimage };
    case 'fail':
      return { kind, htlcId: change.htlcId, content: change.reason };
    case 'failMalformed': {
      const code = Uint8Array.of(change.failureCode >> 8, change.failureCode & 0xff);
      return { kind, htlcId: change.htlcId, content: concat(code, change.sha256OfOnion) };
    }
    case 'fee':
      return { kind, htlcId: BigInt(change.feeratePerKw), content: new Uint8Array(0) };
    default:
      return change satisfies never;
  }
}

function changeFromRecord(
  { kind, htlcId, content }: StoredChange,
  direction: ChannelHtlc['direction'],
  htlcs: readonly ChannelHtlc[],
): Change {
  const name = known(CHANGES[kind], 'change');
  switch (name) {
    case 'add': {
      const htlc = htlcs.find((candidate) => candidate.id === htlcId && candidate.direction === direction);
      return { kind: 'add', htlc: known(htlc, 'added HTLC') };
    }
    case 'fulfill':
      return { kind: 'fulfill', htlcId, preimage: content };
    case 'fail':
      return { kind: 'fail', htlcId, reason: content };
    case 'failMalformed':
      return {
        kind: 'failMalformed',
        htlcId,
        failureCode: ((content[0] ?? 0) << 8) | (content[1] ?? 0),
        sha256OfOnion: content.slice(2),
      };
    case 'fee':
      return { kind: 'fee', feeratePerKw: feeratePerKw(Number(htlcId)) };
    default:
      return name satisfies never;
  }
}

function shutdownFromRecord(
  stored: {
    readonly stage: number;
    readonly sent: number;
    readonly holder: Uint8Array;
    readonly counterparty: Uint8Array;
  },
  terms: ClosingTerms,
): Shutdown {
  const sent = stored.sent === 1;
  if (stored.stage === 0) return { kind: 'none' };
  if (stored.stage === 1) return { kind: 'holder', holderScript: stored.holder, sent, terms };
  return { kind: 'both', holderScript: stored.holder, sent, counterpartyScript: stored.counterparty, terms };
}

type StoredTerms = Partial<Pick<ReturnType<typeof openRecord.decode>, 'closing' | 'closingDisputedAt'>>;

const termsToRecord = ({ acceptedSat = 0n, raisedToSat, dispute, agreedSat = 0n }: ClosingTerms): StoredTerms => ({
  closing: { acceptedSat, raisedToSat, disputedSinceHeight: dispute?.sinceHeight ?? 0, agreedSat },
  ...(dispute === undefined ? {} : { closingDisputedAt: dispute.lastHeight }),
});

/** The negotiation of a connection that is gone is not in it. */
function termsFromRecord({ closing, closingDisputedAt }: StoredTerms): ClosingTerms {
  const { acceptedSat = 0n, raisedToSat = 0n, disputedSinceHeight: sinceHeight = 0, agreedSat = 0n } = closing ?? {};
  return {
    ...(acceptedSat === 0n ? {} : { acceptedSat }),
    raisedToSat,
    // A program that did not note it wrote only when the dispute began.
    ...(sinceHeight === 0 ? {} : { dispute: { sinceHeight, lastHeight: closingDisputedAt ?? sinceHeight } }),
    ...(agreedSat === 0n ? {} : { agreedSat }),
    negotiation: {},
  };
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new GlowwormError('RecordIncomplete', `a stored channel names an unknown ${what}`);
  return value;
}
