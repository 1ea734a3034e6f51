import type { HtlcOffer } from '../channel/channel-operation.ts';
import { PAYMENT_ONION_BYTES } from '../onion/sphinx.ts';
import type { Invoice } from '../payments/invoice.ts';
import { mostHops, onionTerms, type PaymentFailure } from '../payments/outbound-payment.ts';
import { greatest } from '../primitives/bigints.ts';
import { assert } from '../primitives/errors.ts';
import type { Msat } from '../primitives/units.ts';
import { MAX_CLTV_EXPIRY_DELTA } from '../primitives/lock-times.ts';
import { findPaths, type Path, type PathRequest, type PathResult } from '../routing/path.ts';
import { hasFeature } from '../wire/features.ts';
import type { HtlcSwitch } from './htlc-switch.ts';
import { explainLimit } from './payment-failure.ts';

/** An amount of an invoice that is to be paid, and within which limits. */
export interface WantedPayment extends Pick<PathRequest, 'maxFeeMsat' | 'excluded'> {
  readonly invoice: Invoice;
  /** Of this attempt; the whole payment may be more. */
  readonly amountMsat: Msat;
  readonly totalMsat: Msat;
  readonly blockHeight: number;
}

/**
 * The ways for a payment, each of which its channel takes now, or why there are none, in a sentence for the person who pays.
 * What a quote and a payment have in common: what is refused is refused before anything is offered.
 */
export function pathsFor(htlcSwitch: HtlcSwitch, wanted: WantedPayment): readonly Path[] | PaymentFailure {
  if (!htlcSwitch.isTipFresh()) return CHAIN_STALE;
  const request = requestOf(htlcSwitch, wanted);
  const refusing = new Set<string>();
  let refusal: PaymentFailure | undefined;
  // Each round without an answer leaves a channel out.
  for (;;) {
    const firstHops = request.firstHops.filter(({ channelKey }) => !refusing.has(channelKey));
    const found = findPaths({ ...request, firstHops });
    if (found.kind !== 'paths') return refusal ?? explain(found, wanted);
    const refused = firstRefusal(htlcSwitch, wanted, found.paths);
    if (refused === undefined) return found.paths;
    refusing.add(refused.channelKey);
    refusal ??= refused.failure;
  }
}

const CHAIN_STALE: PaymentFailure = {
  code: 'ChainStale',
  message:
    'No new block has come for so long that the chain server may be behind. Nothing was sent: try again after the next block, add another server, or check this device’s clock.',
};

/** Blocks added to what the payee asks for: the chain may grow while the payment is under way. */
const CLTV_MARGIN = 3;

const requestOf = (htlcSwitch: HtlcSwitch, wanted: WantedPayment): PathRequest => {
  const { invoice, amountMsat, totalMsat, blockHeight, maxFeeMsat, excluded } = wanted;
  return {
    payee: invoice.payeeNodeId,
    hints: invoice.routeHints,
    amountMsat,
    finalCltvExpiry: blockHeight + invoice.minFinalCltvExpiryDelta + CLTV_MARGIN,
    maxCltvExpiry: blockHeight + MAX_CLTV_EXPIRY_DELTA,
    maxHops: mostHops(onionTerms(invoice, totalMsat)),
    firstHops: htlcSwitch.firstHops(),
    multiPart: hasFeature(invoice.features, 'basic_mpp'),
    maxFeeMsat,
    excluded,
  };
};

function firstRefusal(
  htlcSwitch: HtlcSwitch,
  { invoice }: WantedPayment,
  paths: readonly Path[],
): { readonly channelKey: string; readonly failure: PaymentFailure } | undefined {
  for (const path of paths) {
    const reached = htlcSwitch.refusal(path.channelKey, offerOf(path, invoice.paymentHash, NO_ONION));
    if (reached !== undefined) return { channelKey: path.channelKey, failure: explainLimit(reached) };
  }
  return undefined;
}

/** The HTLC that begins a path. */
export function offerOf({ hops }: Path, paymentHash: Uint8Array, onion: Uint8Array): HtlcOffer {
  const [first] = hops;
  assert(first !== undefined, 'a path has a hop');
  return { amountMsat: first.amountMsat, cltvExpiry: first.cltvExpiry, paymentHash, onion };
}

/** No limit of a channel depends on what is in it. */
const NO_ONION = new Uint8Array(PAYMENT_ONION_BYTES);

function explain(found: Exclude<PathResult, { kind: 'paths' }>, wanted: WantedPayment): PaymentFailure {
  switch (found.kind) {
    case 'noRoute':
      return {
        code: 'NoRoute',
        message:
          'No way to the recipient: no channel with them is ready, and the invoice names no way from a peer with one. Wait until a channel is ready, or ask for another invoice.',
      };
    case 'peerOffline':
      return {
        code: 'PeerOffline',
        message: 'The peer that leads to the recipient is offline now. Try again when it is connected.',
      };
    case 'tooManyHops':
      return {
        code: 'RouteTooLong',
        message: `The way to the recipient has ${found.hops} steps, which is more than a payment can have. Ask for another invoice.`,
      };
    case 'lockedTooLong':
      return {
        code: 'LockTimeTooLong',
        message: `The way there could lock the money for ${found.cltvExpiry - wanted.blockHeight} blocks, and ${MAX_CLTV_EXPIRY_DELTA} (two weeks) are the most that nodes accept. Ask for another invoice.`,
      };
    case 'insufficientBalance':
      return {
        code: 'InsufficientBalance',
        message: `At most ${found.availableMsat / 1000n} sat can be sent to this recipient now.`,
      };
    case 'feeTooHigh':
      return {
        code: 'FeeTooHigh',
        message: `The way there costs ${satUp(found.feeMsat)} sat in fees, and ${satDown(wanted.maxFeeMsat)} sat are allowed. Allow more, or try again later.`,
      };
    default:
      return found satisfies never;
  }
}

const satUp = (amountMsat: bigint): bigint => (amountMsat + 999n) / 1000n;

/** Nothing is left of what was allowed where the parts that are out cost more. */
const satDown = (amountMsat: bigint): bigint => greatest(amountMsat, 0n) / 1000n;
