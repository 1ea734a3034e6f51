import { compareBytes } from '../primitives/bytes.ts';
import { hash160, ripemd160 } from '../primitives/hash.ts';
import { OP, p2wpkh, p2wsh, script, scriptNumber, type ScriptPart } from './script.ts';

/** `anchors` is option_anchors: zero-fee HTLC transactions and option_static_remotekey. */
export type CommitmentFormat = 'static_remotekey' | 'anchors';

/** The three keys of an HTLC output, 33 bytes each; `owner` owns the commitment transaction that the output is in. */
export interface HtlcKeys {
  readonly revocationPubkey: Uint8Array;
  readonly ownerHtlcPubkey: Uint8Array;
  readonly otherHtlcPubkey: Uint8Array;
}

/** The 2-of-2 of the funding output, keys in lexicographic order (BOLT 3, Funding Transaction Output); 71 bytes. */
export function fundingScript(pubkeyA: Uint8Array, pubkeyB: Uint8Array): Uint8Array {
  const [first, second] = compareBytes(pubkeyA, pubkeyB) <= 0 ? [pubkeyA, pubkeyB] : [pubkeyB, pubkeyA];
  return script(scriptNumber(2), first, second, scriptNumber(2), OP.CHECKMULTISIG);
}

/** The witness script of `to_local` and of every HTLC transaction's output (BOLT 3, to_local Output). */
export const toLocalScript = (
  revocationPubkey: Uint8Array,
  toSelfDelay: number,
  delayedPubkey: Uint8Array,
): Uint8Array =>
  script(
    [OP.IF, revocationPubkey],
    [OP.ELSE, scriptNumber(toSelfDelay), OP.CSV, OP.DROP, delayedPubkey, OP.ENDIF],
    OP.CHECKSIG,
  );

/** The witness script of `to_remote` with anchors: one confirmation before it moves (BOLT 3, to_remote Output). */
export const toRemoteAnchorsScript = (paymentPubkey: Uint8Array): Uint8Array =>
  script(paymentPubkey, OP.CHECKSIGVERIFY, scriptNumber(1), OP.CSV);

/** The output script of `to_remote`: P2WPKH of the payment basepoint, or with anchors P2WSH of the script above. */
export const toRemoteOutputScript = (format: CommitmentFormat, paymentPubkey: Uint8Array): Uint8Array =>
  format === 'anchors' ? p2wsh(toRemoteAnchorsScript(paymentPubkey)) : p2wpkh(paymentPubkey);

/** The witness script of an anchor: its funding key at once, anybody after 16 blocks (BOLT 3, Anchors). */
export const anchorScript = (fundingPubkey: Uint8Array): Uint8Array =>
  script(fundingPubkey, OP.CHECKSIG, OP.IFDUP, OP.NOTIF, scriptNumber(16), OP.CSV, OP.ENDIF);

/** The witness script of an HTLC that the owner of the commitment offered (BOLT 3, Offered HTLC Outputs). */
export const offeredHtlcScript = (format: CommitmentFormat, keys: HtlcKeys, paymentHash: Uint8Array): Uint8Array =>
  script(
    [OP.DUP, OP.HASH160, hash160(keys.revocationPubkey), OP.EQUAL, OP.IF, OP.CHECKSIG, OP.ELSE],
    [keys.otherHtlcPubkey, OP.SWAP, OP.SIZE, Uint8Array.of(32), OP.EQUAL],
    [OP.NOTIF, OP.DROP, scriptNumber(2), OP.SWAP, keys.ownerHtlcPubkey, scriptNumber(2), OP.CHECKMULTISIG],
    [OP.ELSE, OP.HASH160, ripemd160(paymentHash), OP.EQUALVERIFY, OP.CHECKSIG, OP.ENDIF],
    oneBlockDelay(format),
    OP.ENDIF,
  );

/** The witness script of an HTLC that the owner of the commitment received (BOLT 3, Received HTLC Outputs). */
export const receivedHtlcScript = (
  format: CommitmentFormat,
  keys: HtlcKeys,
  paymentHash: Uint8Array,
  cltvExpiry: number,
): Uint8Array =>
  script(
    [OP.DUP, OP.HASH160, hash160(keys.revocationPubkey), OP.EQUAL, OP.IF, OP.CHECKSIG, OP.ELSE],
    [keys.otherHtlcPubkey, OP.SWAP, OP.SIZE, Uint8Array.of(32), OP.EQUAL],
    [OP.IF, OP.HASH160, ripemd160(paymentHash), OP.EQUALVERIFY],
    [scriptNumber(2), OP.SWAP, keys.ownerHtlcPubkey, scriptNumber(2), OP.CHECKMULTISIG],
    [OP.ELSE, OP.DROP, scriptNumber(cltvExpiry), OP.CLTV, OP.DROP, OP.CHECKSIG, OP.ENDIF],
    oneBlockDelay(format),
    OP.ENDIF,
  );

/** With anchors every path but the revocation waits a block, so that nobody can pin the commitment (BOLT 3, Anchors). */
const oneBlockDelay = (format: CommitmentFormat): readonly ScriptPart[] =>
  format === 'anchors' ? [scriptNumber(1), OP.CSV, OP.DROP] : [];
