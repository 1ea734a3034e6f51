import { bech32 } from '@scure/base';
import { encodeInvoice } from '../../worker/engine/payments/bolt11.ts';
import type { InvoiceFields, RouteHintHop } from '../../worker/engine/payments/invoice.ts';
import { bytesToWords, wordsToPaddedBytes, type Words } from '../../worker/engine/payments/invoice-words.ts';
import { concat, fromUtf8 } from '../../worker/engine/primitives/bytes.ts';
import { sha256 } from '../../worker/engine/primitives/hash.ts';
import { featureSet } from '../../worker/engine/wire/features.ts';
import { fakeSecp256k1 } from '../simulation/fake-secp256k1.ts';
import { SimulatedKeys } from '../simulation/simulated-keys.ts';

/** Somebody whom nobody in the arena knows: an invoice of theirs can say anything. */
export const stranger: SimulatedKeys = new SimulatedKeys(fakeSecp256k1, 'stranger', new Uint8Array(22));

const SIGNATURE_WORDS = 104;
const NOW_S = 1_700_000_000;

/** An invoice of a stranger, with fields of the test's choice. */
export const invoiceWith = (change: Partial<InvoiceFields>): string =>
  encodeInvoice((hash) => stranger.signInvoice(hash), {
    network: 'regtest',
    amountMsat: 1_000_000n,
    timestamp: NOW_S,
    paymentHash: sha256(Uint8Array.of(1)),
    paymentSecret: new Uint8Array(32).fill(2),
    description: { kind: 'text', text: 'coffee' },
    expirySeconds: 3600,
    minFinalCltvExpiryDelta: 42,
    fallbackAddresses: [],
    routeHints: [],
    features: featureSet({ var_onion_optin: 'compulsory', payment_secret: 'compulsory', basic_mpp: 'optional' }),
    ...change,
  });

/** An invoice with its words or prefix changed, and signed again: all of it was meant by whoever sent it. */
export function resigned(
  text: string,
  change: (words: number[]) => Words,
  prefixOf: (prefix: string) => string = (prefix) => prefix,
): string {
  const decoded = bech32.decode(text as `${string}1${string}`, false);
  const prefix = prefixOf(decoded.prefix);
  const words = change([...decoded.words].slice(0, -SIGNATURE_WORDS));
  const { signature, recovery } = stranger.signInvoice(sha256(concat(fromUtf8(prefix), wordsToPaddedBytes(words))));
  return bech32.encode(prefix, [...words, ...bytesToWords(Uint8Array.of(...signature, recovery))], false);
}

export const hintHop = (nodeId: Uint8Array, change: Partial<RouteHintHop> = {}): RouteHintHop => ({
  nodeId,
  shortChannelId: 7n,
  feeBaseMsat: 1,
  feeProportionalMillionths: 1,
  cltvExpiryDelta: 40,
  ...change,
});

/** A node that nobody knows. */
export const unknownNode = (fill: number): Uint8Array => fakeSecp256k1.publicKey(new Uint8Array(32).fill(fill));
