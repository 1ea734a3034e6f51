import { PointKeys } from '../../keys/point-keys.ts';
import { equalBytes, toHex } from '../../primitives/bytes.ts';
import {
  offeredHtlcScript,
  receivedHtlcScript,
  toLocalScript,
  toRemoteOutputScript,
  type HtlcKeys,
} from '../../transactions/channel-scripts.ts';
import type { ChannelHtlc } from '../../transactions/channel-htlc.ts';
import type { ChannelParameters } from '../../transactions/channel-parameters.ts';
import { p2wsh } from '../../transactions/script.ts';
import type { Outpoint } from '../../transactions/transaction.ts';
import type { ChannelMonitor } from '../channel-monitor.ts';
import type { Claim } from './claim.ts';
import type { ClaimKeys } from './claim-keys.ts';
import { confirmedClose, type Close } from './close.ts';
import { readTransaction, spendIn, type ConfirmedOutputSpend, type ReadTransaction } from './confirmed-spends.ts';

/** What claims are looked for in. */
interface Scene extends ClaimKeys {
  readonly monitor: ChannelMonitor;
  readonly params: ChannelParameters;
  /** The confirmed commitment. */
  readonly close: ReadTransaction;
  /** What spent its outputs, and what spent those. */
  readonly spends: readonly ReadTransaction[];
}

/**
 * Every output of a closed channel that is not spent and is ours, now or once it is valid (BOLT 5). It follows from what the
 * monitor knows to be in the chain: after a reorganisation, or with a preimage more, it is simply asked again.
 */
export function claimsOf(keys: ClaimKeys, monitor: ChannelMonitor): readonly Claim[] {
  const { confirmedSpend, params } = monitor;
  const close = confirmedClose(keys, monitor);
  if (confirmedSpend === undefined || close === undefined) return [];
  const scene = {
    ...keys,
    monitor,
    params,
    close: readTransaction(confirmedSpend),
    spends: monitor.outputSpends.map(readTransaction),
  };
  return claimsFrom(scene, close).filter(({ outpoint }) => spentBy(scene, outpoint) === undefined);
}

function claimsFrom(scene: Scene, close: Close): readonly Claim[] {
  switch (close.kind) {
    case 'holder':
      return holderClaims(scene, close);
    case 'counterparty':
      return [...toRemoteClaims(scene), ...counterpartyHtlcClaims(scene, close)];
    case 'revoked':
      return [...toRemoteClaims(scene), ...revokedClaims(scene, close)];
    case 'unknown':
      return toRemoteClaims(scene);
    case 'cooperative':
      return [];
    default:
      return close satisfies never;
  }
}

/** BOLT 5, Unilateral Close Handling: Local Commitment Transaction. */
function holderClaims(scene: Scene, { version, input, commitment }: Extract<Close, { kind: 'holder' }>): Claim[] {
  const { toSelfDelay } = input;
  const perCommitmentPoint = scene.perCommitmentPoint(version.number);
  const { revocationPubkey, delayedPubkey } = input.keys;
  const delayedScript = p2wsh(toLocalScript(revocationPubkey, toSelfDelay, delayedPubkey));
  const delayed = (made: ReadTransaction, vout: number): Claim => ({
    ...outputOf(made, vout),
    kind: 'delayed',
    perCommitmentPoint,
    toSelfDelay,
    revocationPubkey,
    validFrom: made.height + toSelfDelay,
    deadline: undefined,
  });
  const main = commitment.toOwnerIndex === undefined ? [] : [delayed(scene.close, commitment.toOwnerIndex)];
  const htlcs = commitment.htlcs.flatMap((htlc, index): Claim[] => {
    const output = outputOf(scene.close, htlc.outputIndex);
    const spend = spentBy(scene, output.outpoint);
    if (spend !== undefined) {
      // An HTLC transaction's output has its input's index, also where others are in it for their fees. Whoever else spent
      // the HTLC, by the preimage, pays elsewhere.
      const made = spend.tx.outputs[spend.inputIndex];
      return made !== undefined && equalBytes(made.script, delayedScript) ? [delayed(spend, spend.inputIndex)] : [];
    }
    const preimage = htlc.htlc.offered ? undefined : preimageOf(scene, htlc.htlc.paymentHash);
    const counterpartySignature = version.htlcSignatures[index];
    if (counterpartySignature === undefined || (!htlc.htlc.offered && preimage === undefined)) return [];
    // The update that brought a newer one revoked it: the counterparty takes its HTLCs.
    if (version.number < scene.monitor.holderCommitment.number) return [];
    const { cltvExpiry } = htlc.htlc;
    return [
      {
        ...output,
        kind: 'holderHtlc',
        perCommitmentPoint,
        input,
        htlc,
        counterpartySignature,
        preimage,
        validFrom: Math.max(firstAfter(scene), htlc.htlc.offered ? cltvExpiry + 1 : 0),
        deadline: htlc.htlc.offered ? undefined : cltvExpiry + 1,
      },
    ];
  });
  return [...main, ...htlcs];
}

/** BOLT 5, Unilateral Close Handling: Remote Commitment Transaction. What is `offered` there came to us. */
function counterpartyHtlcClaims(
  scene: Scene,
  { perCommitmentPoint, commitment }: Extract<Close, { kind: 'counterparty' }>,
): Claim[] {
  const { format } = scene.params;
  return commitment.htlcs.flatMap(({ htlc, outputIndex, outputScript }): Claim[] => {
    const { cltvExpiry, paymentHash } = htlc;
    const preimage = htlc.offered ? preimageOf(scene, paymentHash) : undefined;
    if (htlc.offered && preimage === undefined) return [];
    return [
      {
        ...outputOf(scene.close, outputIndex),
        kind: 'counterpartyHtlc',
        format,
        perCommitmentPoint,
        htlcScript: outputScript,
        paymentHash,
        cltvExpiry,
        preimage,
        validFrom: Math.max(firstAfter(scene), htlc.offered ? 0 : cltvExpiry + 1),
        deadline: htlc.offered ? cltvExpiry + 1 : undefined,
      },
    ];
  });
}

/**
 * BOLT 5, Revoked Transaction Close Handling: every output but `to_remote` and the anchors, by its script, for what an old
 * record does not tell can be in there still; and the outputs of whatever HTLC transactions the counterparty had confirmed.
 */
function revokedClaims(scene: Scene, { perCommitmentSecret }: Extract<Close, { kind: 'revoked' }>): Claim[] {
  const { secp, signer, params, monitor } = scene;
  const point = secp.publicKey(perCommitmentSecret);
  const theirs = new PointKeys(secp, params.counterparty, point);
  const ours = signer.pointKeys(point);
  const { toSelfDelay } = params.holder;
  const { delayedPubkey } = theirs;
  const { revocationPubkey } = ours;
  const delayedScript = toHex(p2wsh(toLocalScript(revocationPubkey, toSelfDelay, delayedPubkey)));
  const toLocal = (made: ReadTransaction): Claim[] =>
    outputsOf(made)
      .filter(({ name }) => name === delayedScript)
      .map(({ output }) => ({
        ...output,
        kind: 'revokedToLocal',
        perCommitmentSecret,
        toSelfDelay,
        delayedPubkey,
        validFrom: made.height + 1,
        deadline: made.height + toSelfDelay,
      }));
  const htlcScripts = revokedHtlcScripts(monitor, revokedHtlcKeys(theirs, ours));
  const htlcs = outputsOf(scene.close).flatMap(({ output, name }): Claim[] => {
    const htlcScript = htlcScripts.get(name);
    if (htlcScript === undefined) return [];
    const { height } = scene.close;
    const deadline = height + toSelfDelay;
    const { format } = params;
    return [
      { ...output, kind: 'revokedHtlc', format, perCommitmentSecret, htlcScript, validFrom: height + 1, deadline },
    ];
  });
  return [...toLocal(scene.close), ...htlcs, ...scene.spends.flatMap(toLocal)];
}

/** The outputs of a revoked commitment that are, or are like, an HTLC's. */
export function revokedHtlcOutputs(
  { secp, signer }: ClaimKeys,
  monitor: ChannelMonitor,
  { perCommitmentSecret }: Extract<Close, { kind: 'revoked' }>,
  htlc: ChannelHtlc,
): readonly number[] {
  const { params, confirmedSpend } = monitor;
  if (confirmedSpend === undefined) return [];
  const point = secp.publicKey(perCommitmentSecret);
  const keys = revokedHtlcKeys(new PointKeys(secp, params.counterparty, point), signer.pointKeys(point));
  const script = toHex(p2wsh(htlcScriptOf(params, keys, htlc)));
  const { outputs } = readTransaction(confirmedSpend).tx;
  return outputs.flatMap((output, vout) => (toHex(output.script) === script ? [vout] : []));
}

const revokedHtlcKeys = (theirs: PointKeys, ours: PointKeys): HtlcKeys => ({
  revocationPubkey: ours.revocationPubkey,
  ownerHtlcPubkey: theirs.htlcPubkey,
  otherHtlcPubkey: ours.htlcPubkey,
});

/** The script of an HTLC in a commitment of the counterparty. */
const htlcScriptOf = (
  { format }: ChannelParameters,
  keys: HtlcKeys,
  { direction, paymentHash, cltvExpiry }: ChannelHtlc,
): Uint8Array =>
  direction === 'inbound'
    ? offeredHtlcScript(format, keys, paymentHash)
    : receivedHtlcScript(format, keys, paymentHash, cltvExpiry);

/** The witness scripts of a revoked commitment's HTLCs, by output script in hex: equal ones have one. */
function revokedHtlcScripts({ params, revoked }: ChannelMonitor, keys: HtlcKeys): ReadonlyMap<string, Uint8Array> {
  const scripts = (revoked?.spec.htlcs ?? []).map((htlc) => htlcScriptOf(params, keys, htlc));
  return new Map(scripts.map((script) => [toHex(p2wsh(script)), script]));
}

/** Our balance in a commitment of the counterparty, of whichever number: its key never changes. */
function toRemoteClaims({ close, params: { format, holder } }: Scene): Claim[] {
  const ours = toHex(toRemoteOutputScript(format, holder.paymentBasepoint));
  return outputsOf(close)
    .filter(({ name }) => name === ours)
    .map(({ output }) => ({ ...output, kind: 'toRemote', format, validFrom: close.height + 1, deadline: undefined }));
}

/** With anchors every way out of an HTLC but the revocation waits a block, and without nobody is faster than a block. */
const firstAfter = ({ close }: Scene): number => close.height + 1;

const preimageOf = ({ monitor }: Scene, paymentHash: Uint8Array): Uint8Array | undefined =>
  monitor.preimages.get(toHex(paymentHash));

/** What spent an output. */
const spentBy = ({ spends }: Pick<Scene, 'spends'>, outpoint: Outpoint): ConfirmedOutputSpend | undefined =>
  spends.reduce<ConfirmedOutputSpend | undefined>((found, each) => found ?? spendIn(each, outpoint), undefined);

type Output = Pick<Claim, 'outpoint' | 'amountSat' | 'script'>;

const outputOf = ({ txid, tx }: ReadTransaction, vout: number): Output => ({
  outpoint: { txid, vout },
  amountSat: tx.outputs[vout]?.amountSat ?? 0n,
  script: tx.outputs[vout]?.script ?? new Uint8Array(0),
});

const outputsOf = (made: ReadTransaction): readonly { readonly output: Output; readonly name: string }[] =>
  made.tx.outputs.map(({ script }, vout) => ({ output: outputOf(made, vout), name: toHex(script) }));
