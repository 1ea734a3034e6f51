import { MIN_FINAL_CLTV_EXPIRY_DELTA, type InboundPayment } from '../engine/payments/inbound-payment.ts';
import { encodeInvoice } from '../engine/payments/bolt11.ts';
import { invoiceNetwork } from '../engine/payments/invoice.ts';
import { GlowwormError } from '../engine/primitives/errors.ts';
import { sha256 } from '../engine/primitives/hash.ts';
import { msat } from '../engine/primitives/units.ts';
import { featureSet } from '../engine/wire/features.ts';
import type { WalletApi } from './api.ts';
import { routeHints } from './invoice-hints.ts';
import type { LightningNode } from './lightning-node.ts';
import type { WalletPlatform } from './platform.ts';

export type InvoiceRequest = Parameters<WalletApi['createInvoice']>[0];

const DEFAULT_EXPIRY_SECONDS = 3600;

/** A signed invoice of the node, and the payment that it is for, which is on no record yet. Throws `AmountOutOfRange`. */
export function newInvoice(
  node: LightningNode,
  { description, ...request }: InvoiceRequest,
  { entropy, timers }: Pick<WalletPlatform, 'entropy' | 'timers'>,
): InboundPayment {
  const createdAt = timers.now();
  const preimage = entropy.getSecureRandomBytes();
  const paymentSecret = entropy.getSecureRandomBytes();
  const paymentHash = sha256(preimage);
  const expirySeconds = request.expirySeconds ?? DEFAULT_EXPIRY_SECONDS;
  const amountMsat = request.amountMsat === undefined ? undefined : msat(request.amountMsat);
  if (amountMsat === 0n) throw new GlowwormError('AmountOutOfRange', 'An invoice cannot be for nothing.');
  const invoiceText = encodeInvoice((hash) => node.keys.signInvoice(hash), {
    network: invoiceNetwork(node.network),
    ...(amountMsat === undefined ? {} : { amountMsat }),
    timestamp: Math.floor(createdAt / 1000),
    paymentHash,
    paymentSecret,
    description: { kind: 'text', text: description },
    expirySeconds,
    minFinalCltvExpiryDelta: MIN_FINAL_CLTV_EXPIRY_DELTA,
    fallbackAddresses: [],
    routeHints: routeHints(node.manager.channels(), node.manager.blockHeight),
    features: featureSet({ var_onion_optin: 'compulsory', payment_secret: 'compulsory', basic_mpp: 'optional' }),
  });
  const expiresAt = createdAt + expirySeconds * 1000;
  const common = { paymentHash, preimage, paymentSecret, amountMsat, description, createdAt, expiresAt };
  return { ...common, invoiceText, received: undefined };
}
