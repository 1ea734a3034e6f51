import { describe, expect, it } from 'vitest';
import { KeysManager } from '../../../worker/engine/keys/keys-manager.ts';
import type { HtlcSwitch } from '../../../worker/engine/manager/htlc-switch.ts';
import { InboundPayments, MPP_TIMEOUT_MS } from '../../../worker/engine/manager/inbound-payments.ts';
import { OutboundPayments } from '../../../worker/engine/manager/outbound-payments.ts';
import { Turn } from '../../../worker/engine/manager/turn.ts';
import { buildFailure, decryptFailure } from '../../../worker/engine/onion/failures.ts';
import type { Failure } from '../../../worker/engine/onion/failure-message.ts';
import { encodePayload } from '../../../worker/engine/onion/payloads.ts';
import { buildOnion } from '../../../worker/engine/onion/sphinx.ts';
import { decodeInvoice, encodeInvoice } from '../../../worker/engine/payments/bolt11.ts';
import type { Invoice } from '../../../worker/engine/payments/invoice.ts';
import { onionTerms, partOnion } from '../../../worker/engine/payments/outbound-payment.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { msat } from '../../../worker/engine/primitives/units.ts';
import type { ChannelHtlc } from '../../../worker/engine/transactions/channel-htlc.ts';
import type { Removal } from '../../../worker/engine/transactions/commitment-spec.ts';
import { featureSet } from '../../../worker/engine/wire/features.ts';

const CHANNEL = 'c1'.repeat(32);
const HEIGHT = 800_000;
const NOW = 1_700_000_000_000;
const PREIMAGE = new Uint8Array(32).fill(5);
const HASH = sha256(PREIMAGE);
const SECRET = new Uint8Array(32).fill(6);

/** Payments with the channels played by the test: what is offered and removed is recorded. */
class Desk {
  readonly keys: KeysManager;
  readonly firstHops: readonly {
    readonly channelKey: string;
    readonly peer: Uint8Array;
    readonly availableMsat: bigint;
  }[];
  readonly inbound: InboundPayments;
  readonly outbound: OutboundPayments;
  readonly removed: { readonly channelKey: string; readonly decision: Removal }[] = [];
  readonly offered: ChannelHtlc[] = [];
  readonly relayed: bigint[] = [];
  readonly events: string[] = [];
  readonly log: string[] = [];
  /** What the channel's monitor has. */
  preimage: Uint8Array | undefined;
  records = new Map<string, Uint8Array>();
  now = NOW;
  dusty = false;
  stale = false;
  refuse = false;
  #turn = new Turn(NOW);
  #random = 0;

  constructor(fill: number, firstHops: Desk['firstHops'] = []) {
    this.firstHops = firstHops;
    this.keys = new KeysManager(secp, new Uint8Array(64).fill(fill), 'regtest');
    this.inbound = this.#makeInbound();
    this.outbound = this.#makeOutbound();
  }

  turn<T>(work: (desk: this) => T): T {
    this.#turn = new Turn(this.now);
    const value = work(this);
    for (const [key, bytes] of this.#turn.writes) if (bytes !== undefined) this.records.set(key, bytes);
    return value;
  }

  /** Payments as they were stored. */
  reloaded(): { readonly inbound: InboundPayments; readonly outbound: OutboundPayments } {
    const [inbound, outbound] = [this.#makeInbound(), this.#makeOutbound()];
    inbound.load(this.records, (line) => void this.log.push(line));
    outbound.load(this.records, (line) => void this.log.push(line));
    return { inbound, outbound };
  }

  #makeInbound(): InboundPayments {
    return new InboundPayments({
      secp,
      node: this.keys,
      relay: ({ htlc }) => void this.relayed.push(htlc.id),
      turn: () => this.#turn,
      undo: () => undefined,
      htlcSwitch: this.#htlcSwitch(),
    });
  }

  #makeOutbound(): OutboundPayments {
    const entropy = { getSecureRandomBytes: () => new Uint8Array(32).fill(++this.#random) };
    return new OutboundPayments({
      secp,
      entropy,
      turn: () => this.#turn,
      undo: () => undefined,
      htlcSwitch: this.#htlcSwitch(),
    });
  }

  #htlcSwitch(): HtlcSwitch {
    return {
      firstHops: () =>
        this.firstHops.map(({ channelKey, peer, availableMsat }) => ({
          channelKey,
          counterpartyNodeId: peer,
          availableMsat: msat(availableMsat),
          isOffline: false,
        })),
      refusal: () => (this.refuse ? { code: 'TooManyHtlcs', message: 'too many' } : undefined),
      offer: (_channelKey, offer) => {
        if (this.refuse) return { code: 'TooManyHtlcs', message: 'too many' };
        const htlc: ChannelHtlc = { ...offer, direction: 'outbound', id: BigInt(this.offered.length) };
        this.offered.push(htlc);
        return htlc;
      },
      claim: (htlcs, preimage) => {
        for (const { channelKey, htlcId } of htlcs)
          this.removed.push({ channelKey, decision: { kind: 'fulfill', htlcId, preimage } });
        return { kind: 'claimed' };
      },
      fail: (channelKey, decision) => void this.removed.push({ channelKey, decision }),
      isFunded: () => true,
      takesHtlcs: () => !this.dusty,
      isTipFresh: () => !this.stale,
      knownPreimage: () => this.preimage,
      note: (kind) => void this.events.push(kind),
    };
  }
}

function invoiceOf(
  payee: KeysManager,
  amountMsat: bigint | undefined = 1_000_000n,
): { text: string; invoice: Invoice } {
  const text = encodeInvoice((hash) => payee.signInvoice(hash), {
    network: 'regtest',
    ...(amountMsat === undefined ? {} : { amountMsat }),
    timestamp: NOW / 1000,
    paymentHash: HASH,
    paymentSecret: SECRET,
    description: { kind: 'text', text: 'coffee' },
    expirySeconds: 3600,
    minFinalCltvExpiryDelta: 42,
    fallbackAddresses: [],
    routeHints: [],
    features: featureSet({ var_onion_optin: 'compulsory', payment_secret: 'compulsory', basic_mpp: 'optional' }),
  });
  return { text, invoice: decodeInvoice(secp, text) };
}

/** A payee with an open invoice, and the HTLCs that payers send it. */
function payee(asked: bigint | 'any' = 1_000_000n) {
  const amountMsat = asked === 'any' ? undefined : asked;
  const desk = new Desk(1);
  const { text, invoice } = invoiceOf(desk.keys, amountMsat);
  desk.turn(({ inbound }) =>
    inbound.addInvoice({
      paymentHash: HASH,
      preimage: PREIMAGE,
      paymentSecret: SECRET,
      amountMsat: amountMsat === undefined ? undefined : msat(amountMsat),
      description: 'coffee',
      invoiceText: text,
      createdAt: NOW,
      expiresAt: NOW + 3_600_000,
      received: undefined,
    }),
  );
  let id = 0n;
  const secrets: Uint8Array[] = [];
  const htlc = (
    over: { part?: bigint; total?: bigint; secret?: Uint8Array; cltv?: number; htlcMsat?: bigint } = {},
  ): ChannelHtlc => {
    const part = over.part ?? over.total ?? 1_000_000n;
    const cltvExpiry = over.cltv ?? HEIGHT + 42;
    const terms = { ...onionTerms(invoice, msat(over.total ?? 1_000_000n)), paymentSecret: over.secret ?? SECRET };
    const sessionKey = new Uint8Array(32).fill(Number(id) + 40);
    const hops = [{ nodeId: desk.keys.nodeId, shortChannelId: 0n, amountMsat: msat(part), cltvExpiry }];
    const onion = partOnion(secp, terms, { sessionKey, hops });
    secrets.push(...onion.sharedSecrets);
    const amount = msat(over.htlcMsat ?? part);
    return { direction: 'inbound', id: id++, amountMsat: amount, paymentHash: HASH, cltvExpiry, onion: onion.packet };
  };
  const receive = (given: ChannelHtlc): void => desk.turn(({ inbound }) => inbound.accepted(CHANNEL, given, HEIGHT));
  const failures = (): (string | undefined)[] =>
    desk.removed.map(({ decision }) =>
      decision.kind === 'fail'
        ? decryptFailure([secrets[Number(decision.htlcId)] ?? new Uint8Array(32)], decision.reason)?.failure.kind
        : decision.kind,
    );
  return { desk, htlc, receive, failures };
}

describe('an inbound payment', () => {
  it('is claimed with its preimage and told once', () => {
    const { desk, htlc, receive } = payee();
    receive(htlc());
    expect(desk.removed).toEqual([
      { channelKey: CHANNEL, decision: { kind: 'fulfill', htlcId: 0n, preimage: PREIMAGE } },
    ]);
    expect(desk.events).toEqual(['paymentReceived']);
    expect(desk.reloaded().inbound.all()[0]?.received?.amountMsat).toBe(1_000_000n);
  });

  it('is held until all its parts are there', () => {
    const { desk, htlc, receive, failures } = payee();
    receive(htlc({ part: 400_000n, total: 1_000_000n }));
    expect(desk.removed).toEqual([]);
    receive(htlc({ part: 600_000n, total: 1_000_000n }));
    expect(failures()).toEqual(['fulfill', 'fulfill']);
    expect(desk.events).toEqual(['paymentReceived']);
  });

  it('is failed as a whole when parts stay away', () => {
    const { desk, htlc, receive, failures } = payee();
    receive(htlc({ part: 400_000n, total: 1_000_000n }));
    desk.now = NOW + MPP_TIMEOUT_MS - 1;
    desk.turn(({ inbound }) => inbound.timerTick());
    expect(failures()).toEqual([]);
    desk.now = NOW + MPP_TIMEOUT_MS;
    desk.turn(({ inbound }) => inbound.timerTick());
    expect(failures()).toEqual(['mpp_timeout']);
    expect(desk.events).toEqual([]);
  });

  it('is held no longer once its parts are decided upon', () => {
    const paid = payee();
    paid.receive(paid.htlc());
    const failed = payee();
    failed.receive(failed.htlc({ part: 400_000n, total: 1_000_000n }));
    for (const { desk } of [paid, failed])
      for (const ticks of [1, 2]) {
        desk.now = NOW + ticks * MPP_TIMEOUT_MS;
        desk.turn(({ inbound }) => {
          inbound.timerTick();
          inbound.bestBlockUpdated(HEIGHT + 100);
        });
      }
    expect([paid.failures(), failed.failures()]).toEqual([['fulfill'], ['mpp_timeout']]);
  });

  it('is not counted twice when an HTLC is decided upon again after a restart', () => {
    const { desk, htlc, receive } = payee();
    const part = htlc({ part: 600_000n, total: 1_000_000n });
    receive(part);
    receive(part);
    expect(desk.removed).toEqual([]);
  });

  it('takes up to twice the amount, and whatever is sent for an invoice without one', () => {
    const generous = payee();
    generous.receive(generous.htlc({ total: 2_000_000n }));
    expect(generous.failures()).toEqual(['fulfill']);
    const open = payee('any');
    open.receive(open.htlc({ total: 77n }));
    expect(open.failures()).toEqual(['fulfill']);
  });

  const refused = 'incorrect_or_unknown_payment_details';
  it.each([
    ['another payment secret', { secret: new Uint8Array(32).fill(1) }, refused],
    ['too little', { total: 999_999n }, refused],
    ['more than twice the amount', { total: 2_000_001n }, refused],
    ['an expiry that leaves no time to claim', { cltv: HEIGHT + 35 }, refused],
    ['less than the onion says', { total: 1_000_000n, htlcMsat: 999_999n }, 'final_incorrect_htlc_amount'],
  ] as const)('is failed for %s', (_name, over, failure) => {
    const { desk, htlc, receive, failures } = payee();
    receive(htlc(over));
    expect(failures()).toEqual([failure]);
    expect(desk.events).toEqual([]);
  });

  it('is failed when the invoice has expired, is paid, or is not ours', () => {
    const late = payee();
    late.desk.now = NOW + 3_600_001;
    late.receive(late.htlc());
    expect(late.failures()).toEqual([refused]);
    const paid = payee();
    paid.receive(paid.htlc());
    paid.receive(paid.htlc());
    expect(paid.failures()).toEqual(['fulfill', refused]);
    const stranger = new Desk(1);
    stranger.turn(({ inbound }) => inbound.accepted(CHANNEL, payee().htlc(), HEIGHT));
    expect(stranger.removed.map(({ decision }) => decision.kind)).toEqual(['fail']);
  });

  it('is failed when closing the channel would lose too much dust', () => {
    const { desk, htlc, receive, failures } = payee();
    desk.dusty = true;
    receive(htlc());
    expect(failures()).toEqual(['temporary_channel_failure']);
  });

  it('is failed for a while when no block has come for hours, and not where it is claimed already', () => {
    const { desk, htlc, receive, failures } = payee();
    const first = htlc();
    receive(first);
    desk.stale = true;
    receive(first);
    expect(failures()).toEqual(['fulfill', 'fulfill']);
    const other = payee();
    other.desk.stale = true;
    other.receive(other.htlc());
    expect(other.failures()).toEqual(['temporary_node_failure']);
    other.desk.stale = false;
    other.receive(other.htlc());
    expect(other.failures().at(-1)).toBe('fulfill');
  });

  it('is failed when a trampoline onion says whom it is for, whatever secret stands beside it', () => {
    const { desk, htlc, receive } = payee();
    const plain = htlc();
    const payload = encodePayload({
      amtToForward: plain.amountMsat,
      outgoingCltvValue: plain.cltvExpiry,
      paymentData: { paymentSecret: SECRET, totalMsat: plain.amountMsat },
      deployedTrampolineOnion: new Uint8Array(200),
    });
    const hops = [{ nodeId: desk.keys.nodeId, payload }];
    const { packet, sharedSecrets } = buildOnion(secp, { sessionKey: PREIMAGE, hops, associatedData: HASH });
    receive({ ...plain, onion: packet });
    const [decision] = desk.removed.map((removed) => removed.decision);
    const failed = decision?.kind === 'fail' ? decryptFailure(sharedSecrets, decision.reason) : undefined;
    expect(failed?.failure).toEqual({ kind: 'unknown_next_peer' });
    expect(desk.events).toEqual([]);
  });

  it('is malformed when the onion is not for us', () => {
    const { desk, htlc, receive } = payee();
    const broken = htlc();
    receive({ ...broken, onion: broken.onion.map((byte, index) => (index === 1365 ? byte ^ 1 : byte)) });
    expect(desk.removed[0]?.decision).toMatchObject({ kind: 'failMalformed', failureCode: 0xc005 });
  });
});

/** A payer with one channel to the payee. */
function payer(availableMsat = 10_000_000n) {
  const recipient = new KeysManager(secp, new Uint8Array(64).fill(2), 'regtest');
  const desk = new Desk(3, [{ channelKey: CHANNEL, peer: recipient.nodeId, availableMsat }]);
  const { text, invoice } = invoiceOf(recipient, 1_000_000n);
  const send = (): string => desk.turn(({ outbound }) => outbound.send(invoice, text, msat(1_000_000n), HEIGHT));
  const state = () => desk.outbound.all()[0]?.state;
  const fail = (failure: Failure, htlc = desk.offered.at(-1)): void => {
    if (htlc === undefined) throw new Error('nothing was offered');
    const ephemeral = htlc.onion.slice(1, 34);
    const reason = buildFailure(recipient.ecdh(ephemeral), failure);
    desk.turn(({ outbound }) => outbound.failed(CHANNEL, htlc, { kind: 'fail', htlcId: htlc.id, reason }, HEIGHT));
  };
  return { desk, recipient, send, state, fail, text };
}

function drop(desk: Desk): void {
  const htlc = desk.offered.at(-1);
  if (htlc !== undefined) desk.turn(({ outbound }) => outbound.dropped(CHANNEL, htlc, HEIGHT));
}

describe('an invoice whose record is damaged', () => {
  it('is left out and logged, and its HTLC is given back', () => {
    const { desk, htlc, failures } = payee();
    for (const key of desk.records.keys()) if (!key.endsWith('/text')) desk.records.set(key, Uint8Array.of(9));
    const { inbound } = desk.reloaded();
    expect([inbound.all(), desk.log.length]).toEqual([[], 1]);
    desk.turn(() => inbound.accepted(CHANNEL, htlc(), HEIGHT));
    expect(failures()).toEqual(['incorrect_or_unknown_payment_details']);
  });

  it('is claimed where the preimage is out already', () => {
    const { desk, htlc, failures } = payee();
    desk.records.clear();
    const { inbound } = desk.reloaded();
    desk.preimage = PREIMAGE;
    desk.turn(() => inbound.accepted(CHANNEL, htlc(), HEIGHT));
    expect(failures()).toEqual(['fulfill']);
  });

  it('can be paid without its text', () => {
    const { desk, htlc, failures } = payee();
    for (const key of desk.records.keys()) if (key.endsWith('/text')) desk.records.delete(key);
    const { inbound } = desk.reloaded();
    desk.turn(() => inbound.accepted(CHANNEL, htlc(), HEIGHT));
    expect(failures()).toEqual(['fulfill']);
  });
});

describe('an outbound payment', () => {
  it('offers an HTLC that gives the payee its delta, and is stored as pending', () => {
    const { desk, send } = payer();
    send();
    expect(desk.offered[0]).toMatchObject({ amountMsat: 1_000_000n, cltvExpiry: HEIGHT + 42 + 3 });
    expect(desk.reloaded().outbound.all()[0]?.state.kind).toBe('pending');
  });

  it('succeeds with the preimage, once', () => {
    const { desk, send, state } = payer();
    send();
    const [htlc] = desk.offered;
    if (htlc === undefined) throw new Error('nothing was offered');
    desk.turn(({ outbound }) => outbound.fulfilled(htlc, PREIMAGE));
    desk.turn(({ outbound }) => outbound.fulfilled(htlc, PREIMAGE));
    expect(state()).toMatchObject({ kind: 'succeeded', preimage: PREIMAGE, feeMsat: 0n });
    expect(desk.events).toEqual(['paymentSent']);
  });

  it('is not begun, nor quoted, nor tried again, while no block has come for hours', () => {
    const { desk, recipient, send, state, fail } = payer();
    const { invoice } = invoiceOf(recipient);
    send();
    desk.stale = true;
    fail({ kind: 'temporary_node_failure' });
    expect([state()?.kind, desk.offered.length]).toEqual(['failed', 1]);
    const stale = expect.objectContaining({ code: 'ChainStale' }) as Error;
    expect(send).toThrow(stale);
    expect(() => desk.outbound.quote(invoice, msat(1_000_000n), HEIGHT)).toThrow(stale);
    desk.stale = false;
    send();
    expect(desk.offered).toHaveLength(2);
  });

  it('is never sent twice', () => {
    const { desk, send } = payer();
    send();
    expect(send).toThrow(expect.objectContaining({ code: 'PaymentPending' }));
    const [htlc] = desk.offered;
    if (htlc !== undefined) desk.turn(({ outbound }) => outbound.fulfilled(htlc, PREIMAGE));
    expect(send).toThrow(expect.objectContaining({ code: 'PaymentAlreadySent' }));
    expect(desk.offered).toHaveLength(1);
  });

  it('fails with words for its sender, and may then be tried again', () => {
    const { desk, send, state, fail } = payer();
    send();
    fail({ kind: 'incorrect_or_unknown_payment_details', htlcMsat: 1n, height: 1 });
    expect(state()).toMatchObject({ kind: 'failed', failure: { code: 'PaymentRejected' } });
    expect(desk.events).toEqual(['paymentFailed']);
    send();
    expect(state()?.kind).toBe('pending');
    expect(desk.offered).toHaveLength(2);
  });

  it('is retried after a temporary failure, but not for ever', () => {
    const { desk, send, state, fail } = payer();
    send();
    for (let attempt = 0; attempt < 5; attempt++) fail({ kind: 'temporary_node_failure' });
    expect(desk.offered).toHaveLength(5);
    expect(state()?.kind).toBe('failed');
  });

  it('is offered again when an HTLC was taken back before it was signed', () => {
    const { desk, send, state } = payer();
    send();
    drop(desk);
    expect(desk.offered).toHaveLength(2);
    expect(desk.reloaded().outbound.onionOf(CHANNEL, 1n)).toEqual(desk.offered[1]?.onion);
    expect(state()?.kind).toBe('pending');
  });

  it('fails when the HTLC that was taken back fits nowhere', () => {
    const { desk, send, state } = payer();
    send();
    desk.refuse = true;
    drop(desk);
    expect(state()).toMatchObject({ kind: 'failed', failure: { code: 'PaymentNotSent' } });
    expect(desk.events).toEqual(['paymentFailed']);
    drop(desk);
    expect(desk.events).toEqual(['paymentFailed']);
  });

  it('keeps its onion across a restart', () => {
    const { desk, send } = payer();
    send();
    expect(desk.reloaded().outbound.onionOf(CHANNEL, 0n)).toEqual(desk.offered[0]?.onion);
  });

  it('is refused, and not on record, without a way, a balance or a channel that takes it', () => {
    const poor = payer(999_999n);
    expect(poor.send).toThrow(expect.objectContaining({ code: 'InsufficientBalance' }));
    const stuck = payer();
    stuck.desk.refuse = true;
    expect(stuck.send).toThrow(expect.objectContaining({ code: 'TooManyHtlcs' }));
    for (const { desk } of [poor, stuck]) expect(desk.outbound.all()).toEqual([]);
  });
});
