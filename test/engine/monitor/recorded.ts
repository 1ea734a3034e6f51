import { fileURLToPath } from 'node:url';
import { insertSecret, perCommitmentSecret, shachainIndex } from '../../../worker/engine/keys/shachain.ts';
import type { ShachainStore } from '../../../worker/engine/keys/shachain.ts';
import { encodeParameters } from '../../../worker/engine/monitor/channel-records.ts';
import type { ChannelMonitor, FundingSpend } from '../../../worker/engine/monitor/channel-monitor.ts';
import { encodeMonitor } from '../../../worker/engine/monitor/monitor-records.ts';
import { encodeUpdate } from '../../../worker/engine/monitor/update-records.ts';
import type { MonitorStep } from '../../../worker/engine/monitor/monitor-update.ts';
import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { msat } from '../../../worker/engine/primitives/units.ts';
import type { HtlcSource } from '../../../worker/engine/transactions/htlc-source.ts';
import type { ChannelParameters } from '../../../worker/engine/transactions/channel-parameters.ts';
import { encodeTransaction, transactionId, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import {
  htlc,
  Kept,
  key,
  ours,
  PARAMS,
  PREIMAGE,
  preimage,
  revoked,
  SEED,
  signature,
  spec,
  theirs,
} from './samples.ts';

const OTHER_HASH = new Uint8Array(32).fill(6);
const inbound = htlc(4n);
/** One that no preimage is known for. */
const outbound = { ...htlc(9n, 'outbound'), paymentHash: OTHER_HASH, cltvExpiry: 640 };
const HTLCS = [inbound, outbound];
const SCRIPT = Uint8Array.of(0, 20, ...new Uint8Array(20).fill(5));

/** The channels whose monitors are stored whole, by their commitments' format. */
export const CHANNELS: Readonly<Record<ChannelParameters['format'], ChannelParameters>> = {
  anchors: PARAMS,
  static_remotekey: {
    ...PARAMS,
    format: 'static_remotekey',
    channelType: Uint8Array.of(0x10, 0),
    channelKeysIndex: 12,
    commitmentSalt: new Uint8Array(0),
    isOpener: false,
    counterparty: { ...PARAMS.counterparty, upfrontShutdownScript: SCRIPT },
  },
};

const secretsUpTo = (last: number): ShachainStore => {
  let secrets: ShachainStore = [];
  for (let number = 0; number <= last; number++)
    secrets = insertSecret(secrets, shachainIndex(number), perCommitmentSecret(SEED, number)) ?? [];
  return secrets;
};

const commitment = (number: number, htlcs = HTLCS) => ({
  number,
  spec: spec(htlcs),
  perCommitmentPoint: key(number + 30),
});

/** What `recordsOf` leads to: HTLCs of both directions, and a signature that no revocation has answered yet. */
export const storedMonitor = (params: ChannelParameters): ChannelMonitor => ({
  params,
  updateId: 5,
  holderCommitment: { number: 1, spec: spec(HTLCS), signature, htlcSignatures: [signature, signature] },
  counterpartyCommitments: [commitment(2, [outbound]), commitment(3)],
  secrets: secretsUpTo(1),
  preimages: new Map([[toHex(sha256(PREIMAGE)), PREIMAGE]]),
  shutdownScript: new Uint8Array(0),
  closed: 'no',
  broadcastTransaction: new Uint8Array(0),
  confirmedSpend: undefined,
  previousHolderCommitment: { number: 0, spec: spec([]), signature, htlcSignatures: [] },
  revoked: undefined,
  outputSpends: [],
  packages: [],
  events: [],
  nextEventId: 0,
  decidedHtlcs: new Map(),
  sources: new Map(),
  anchorChild: undefined,
  isCopy: false,
});

/** The only commitment of a stored monitor that was revoked with HTLCs in it. */
export const REVOKED = { number: 1, spec: spec(HTLCS) };

/** The life of a monitor: a snapshot, updates after it, and a row of what was revoked before it and after. */
function recordsOf(params: ChannelParameters): ReadonlyMap<string, Uint8Array> {
  const kept = new Kept(params);
  kept.update(ours(1, HTLCS), theirs(1, HTLCS));
  kept.update(revoked(0), preimage);
  kept.update(theirs(2, [outbound]));
  kept.update(revoked(1));
  kept.update(theirs(3, HTLCS));
  return kept.records;
}

const SPENDS: readonly FundingSpend[] = [
  { kind: 'holderCommitment' },
  { kind: 'counterpartyCommitment', number: 3, perCommitmentPoint: key(33) },
  { kind: 'revokedCommitment', number: 1 },
  { kind: 'unknownCommitment', number: 8 },
  { kind: 'cooperative' },
];

const afterSpend = (spend: FundingSpend): ChannelMonitor => ({
  ...storedMonitor(PARAMS),
  previousHolderCommitment: undefined,
  shutdownScript: SCRIPT,
  closed: spend.kind === 'unknownCommitment' ? 'wait' : 'broadcast',
  broadcastTransaction: new Uint8Array(60).fill(1),
  confirmedSpend: { spend, transaction: new Uint8Array(80).fill(2), txid: new Uint8Array(32).fill(3), height: 812 },
});

/** What version 1 could store. */
export const SNAPSHOTS_V1: Readonly<Record<string, ChannelMonitor>> = {
  live: { ...storedMonitor(PARAMS), previousHolderCommitment: undefined },
  ...Object.fromEntries(SPENDS.map((spend) => [`spent: ${spend.kind}`, afterSpend(spend)])),
};

const CLAIM: Transaction = {
  version: 2,
  inputs: [{ txid: new Uint8Array(32).fill(3), vout: 1, sequence: 1, scriptSig: new Uint8Array(0), witness: [SCRIPT] }],
  outputs: [{ amountSat: 5_000n, script: SCRIPT }],
  locktime: 640,
};

export const SNAPSHOTS: Readonly<Record<string, ChannelMonitor>> = {
  ...SNAPSHOTS_V1,
  'claims under way': {
    ...afterSpend({ kind: 'revokedCommitment', number: 1 }),
    previousHolderCommitment: { number: 0, spec: spec(HTLCS), signature, htlcSignatures: [signature] },
    revoked: REVOKED,
    outputSpends: [{ transaction: encodeTransaction(CLAIM), txid: transactionId(CLAIM), height: 820 }],
    packages: [
      {
        tx: CLAIM,
        outpoints: [
          { txid: new Uint8Array(32).fill(3), vout: 1 },
          { txid: new Uint8Array(32).fill(3), vout: 2 },
        ],
        feeratePerKw: 2_500,
        height: 819,
        since: 815,
      },
    ],
    events: [
      { id: 0, htlc: outbound, resolution: { kind: 'timedOut' } },
      { id: 2, htlc: { ...outbound, id: 11n }, resolution: { kind: 'fulfilled', preimage: PREIMAGE } },
    ],
    nextEventId: 3,
    decidedHtlcs: new Map([
      [9n, 'failed'],
      [10n, 'failed'],
      [11n, 'failed'],
    ]),
  },
};

/** What version 3 of the fixture stores besides. */
export const SNAPSHOTS_V3: Readonly<Record<string, ChannelMonitor>> = {
  ...SNAPSHOTS,
  'of a copy': { ...storedMonitor(PARAMS), isCopy: true },
  'with the child of its commitment': {
    ...storedMonitor(PARAMS),
    closed: 'broadcast',
    broadcastTransaction: new Uint8Array(60).fill(1),
    anchorChild: { tx: CLAIM, feeratePerKw: 4_000, height: 819, since: 817 },
  },
};

const SOURCE: HtlcSource = {
  kind: 'forward',
  previous: {
    channelKey: 'c1'.repeat(32),
    htlcId: 3n,
    amountMsat: msat(51_000_000n),
    cltvExpiry: 712,
    sharedSecret: new Uint8Array(32).fill(9),
  },
  skimmedFeeMsat: msat(77n),
};

const FAIL = { kind: 'fail', htlcId: 12n, reason: new Uint8Array(292).fill(4) } as const;
const MALFORMED = {
  kind: 'failMalformed',
  htlcId: 13n,
  failureCode: 0xc005,
  sha256OfOnion: new Uint8Array(32).fill(8),
} as const;

/** What this version stores besides. */
export const SNAPSHOTS_V4: Readonly<Record<string, ChannelMonitor>> = {
  ...SNAPSHOTS_V3,
  'HTLCs resolved': {
    ...storedMonitor(PARAMS),
    events: [
      { id: 7, htlc: outbound, resolution: { kind: 'fulfilled', preimage: PREIMAGE } },
      { id: 9, htlc: { ...outbound, id: 12n }, resolution: { kind: 'failed', removal: FAIL } },
      { id: 10, htlc: { ...outbound, id: 13n }, resolution: { kind: 'failed', removal: MALFORMED } },
      { id: 11, htlc: { ...outbound, id: 14n }, resolution: { kind: 'timedOut' } },
    ],
    nextEventId: 12,
    sources: new Map([[9n, SOURCE]]),
    decidedHtlcs: new Map([
      [9n, 'fulfilled'],
      [12n, 'failed'],
      [14n, 'failed'],
    ]),
  },
};

/** The steps of updates, in the order in which version 1 reads them. */
export const UPDATES_V1: Readonly<Record<string, readonly MonitorStep[]>> = {
  'both commitments': [ours(1, HTLCS), theirs(1, HTLCS)],
  'revocation, new commitment and preimage': [revoked(1), theirs(3, [inbound]), preimage],
  'shutdown script': [{ kind: 'shutdownScript', script: SCRIPT }],
  'closed with a broadcast': [{ kind: 'channelForceClosed', holderCommitment: 'broadcast' }],
  'closed without': [{ kind: 'channelForceClosed', holderCommitment: 'wait' }],
};

/** What the updates of the fixture are updates of. */
export const BEFORE: ChannelMonitor = storedMonitor(PARAMS);

const [PACKAGE] = SNAPSHOTS['claims under way']?.packages ?? [];
const OUTPOINT = { txid: new Uint8Array(32).fill(3), vout: 9 };
const CONFIRMED = { transaction: encodeTransaction(CLAIM), txid: transactionId(CLAIM), height: 820 };

/** Updates with every kind of step that version 3 of the fixture has. */
export const UPDATES_V3: Readonly<Record<string, readonly MonitorStep[]>> = {
  ...UPDATES_V1,
  'commitments with other HTLCs': [ours(2, [outbound, htlc(6n)]), revoked(2), theirs(4, [htlc(5n), inbound])],
  'closed for ever': [{ kind: 'channelForceClosed', holderCommitment: 'never' }],
  copied: [{ kind: 'copied' }],
  confirmed: [{ kind: 'stateConfirmed' }],
  ...Object.fromEntries(
    SPENDS.map((spend) => [
      `funding spent: ${spend.kind}`,
      [{ kind: 'fundingSpent', confirmedSpend: { spend, ...CONFIRMED } }],
    ]),
  ),
  'funding not spent': [{ kind: 'fundingSpendUnconfirmed' }],
  'revoked commitment read': [{ kind: 'revokedRead', revoked: REVOKED }],
  'output spent': [preimage, { kind: 'outputSpent', spend: CONFIRMED }],
  'output not spent': [{ kind: 'outputUnspent', txid: CONFIRMED.txid }],
  'HTLCs decided': [
    { kind: 'htlcResolved', htlc: outbound, resolution: { kind: 'timedOut' } },
    {
      kind: 'htlcResolved',
      htlc: { ...outbound, id: 11n },
      resolution: { kind: 'fulfilled', preimage: PREIMAGE },
    },
  ],
  'event acknowledged': [{ kind: 'eventAcknowledged', id: 3 }],
  'child made': [{ kind: 'anchorChildChanged', child: { tx: CLAIM, feeratePerKw: 4_000, height: 819, since: 817 } }],
  'child gone': [{ kind: 'anchorChildChanged', child: undefined }],
  'packages changed': [
    { kind: 'packagesChanged', over: [OUTPOINT], made: PACKAGE === undefined ? [] : [PACKAGE] },
    { kind: 'packagesChanged', over: [], made: [] },
  ],
};

/** Updates with every kind of step. */
export const UPDATES: Readonly<Record<string, readonly MonitorStep[]>> = {
  ...UPDATES_V3,
  'HTLC passed on': [{ kind: 'htlcSource', htlcId: 9n, source: SOURCE }],
  'HTLCs failed': [
    { kind: 'htlcResolved', htlc: { ...outbound, id: 12n }, resolution: { kind: 'failed', removal: FAIL } },
    { kind: 'htlcResolved', htlc: { ...outbound, id: 13n }, resolution: { kind: 'failed', removal: MALFORMED } },
  ],
};

/** All of the above as this version stores it, in hex, in the form of the fixture. */
export const recorded = () => ({
  channels: mapped(CHANNELS, (params) => ({
    params: toHex(encodeParameters(params)),
    records: mapped(Object.fromEntries(recordsOf(params)), toHex),
  })),
  snapshots: mapped(SNAPSHOTS_V4, (monitor) => toHex(encodeMonitor(monitor))),
  updates: mapped(UPDATES, (steps) => toHex(encodeUpdate({ updateId: 7, steps }, BEFORE))),
});

function mapped<K extends string, V, R>(values: Readonly<Record<K, V>>, map: (value: V) => R): Record<K, R> {
  const entries = Object.entries<V>(values).map(([name, value]) => [name, map(value)]);
  return Object.fromEntries(entries) as Record<K, R>;
}

// Run by itself it prints the fixture: what a version has written once is not to be replaced, only added to.
if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(`${JSON.stringify(recorded(), undefined, 2)}\n`);
