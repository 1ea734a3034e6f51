import type { Secp256k1 } from '../../primitives/secp256k1.ts';
import { isUsablePath, type PaymentBlindedPath } from '../blinded-path.ts';
import type { RoutingInfoHop } from './trampoline-payload.ts';

/** What an invoice lets its payer prove. */
interface InvoiceSecrets {
  /** 33 bytes. */
  readonly nodeId: Uint8Array;
  /** 32 bytes. */
  readonly paymentSecret: Uint8Array;
  /** Of the whole payment, all ways to the payee together. */
  readonly totalMsat: bigint;
  readonly paymentMetadata?: Uint8Array;
}

/** A payee who reads the end of the trampoline onion: no trampoline node learns what is in the invoice. */
export type TrampolineRecipient = InvoiceSecrets & { readonly kind: 'trampoline' };

/**
 * A payee who knows nothing of trampoline: the last trampoline node pays in the sender's place. Never for an invoice without
 * an amount: the node learns all that is in it, and could pay less than it was given (eclair, PaymentOnion).
 */
export type OutsideRecipient =
  | (InvoiceSecrets & {
      /** By the route hints of an invoice: the trampoline node learns whom it pays, and the secret. */
      readonly kind: 'routeHints';
      readonly features: Uint8Array;
      readonly routeHints: readonly (readonly RoutingInfoHop[])[];
    })
  | {
      readonly kind: 'blindedPaths';
      readonly features: Uint8Array;
      readonly paths: readonly PaymentBlindedPath[];
    };

/** Whom a trampoline onion is for. */
export type TrampolinePayee = TrampolineRecipient | OutsideRecipient;

/** As many ways to a payee are looked at; a sender can name hundreds of empty ones in an onion. */
export const MOST_WAYS = 20;

/** No route is longer (BOLT 4, Returning Errors). */
export const MOST_WAY_HOPS = 20;

/** The hints along which somebody could be paid: others are none, and no reason to pay nobody. */
export const usableHints = (
  secp: Secp256k1,
  hints: readonly (readonly RoutingInfoHop[])[],
): readonly (readonly RoutingInfoHop[])[] =>
  hints
    .filter(({ length }) => length > 0 && length <= MOST_WAY_HOPS)
    .slice(0, MOST_WAYS)
    .filter((hops) => hops.every(({ nodeId }) => secp.isPoint(nodeId)));

/** The same for blinded paths. */
export const usablePaths = (secp: Secp256k1, paths: readonly PaymentBlindedPath[]): readonly PaymentBlindedPath[] =>
  paths
    .filter(({ hops }) => hops.length <= MOST_WAY_HOPS)
    .slice(0, MOST_WAYS)
    .filter((path) => isUsablePath(secp, path));
