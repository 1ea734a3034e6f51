import { equalBytes } from '../primitives/bytes.ts';
import type { MonitorStep } from '../monitor/monitor-update.ts';
import { isStandardShutdownScript, type ShutdownFeatures } from '../transactions/shutdown-script.ts';
import type { MessageOf } from '../wire/message.ts';
import { holdsUpdates } from './channel-quiescence.ts';
import type { ClosingTerms, OpenChannel, Shutdown } from './channel-state.ts';
import { hasUnsignedChanges } from './commitments.ts';
import { transition, violation, type Outcome, type Transition } from './transition.ts';

/** Those of a close that begins. */
export const NEW_TERMS: ClosingTerms = { raisedToSat: 0n, negotiation: {} };

/**
 * Starts a cooperative close for which its owner accepts to pay `acceptedSat`. One that is under way goes on, to the script
 * that it names already, and for what is accepted now. A dispute about less than that is over.
 */
export function requestShutdown(
  channel: OpenChannel,
  holderScript: Uint8Array,
  acceptedSat?: bigint,
): Transition<OpenChannel> {
  const terms = accepting(channel.shutdown.kind === 'none' ? NEW_TERMS : channel.shutdown.terms, acceptedSat);
  if (channel.shutdown.kind !== 'none')
    return transition(
      terms === channel.shutdown.terms ? channel : { ...channel, shutdown: { ...channel.shutdown, terms } },
    );
  const pinned = channel.params.holder.upfrontShutdownScript;
  const script = pinned.length > 0 ? pinned : holderScript;
  return sendShutdownIfSigned({ ...channel, shutdown: { kind: 'holder', holderScript: script, sent: false, terms } }, [
    { kind: 'shutdownScript', script },
  ]);
}

function accepting(terms: ClosingTerms, acceptedSat: bigint | undefined): ClosingTerms {
  if (acceptedSat === undefined) return terms;
  const { dispute, ...others } = terms;
  const isLess = terms.acceptedSat === undefined || acceptedSat <= terms.acceptedSat;
  return { ...others, acceptedSat, ...(isLess && dispute !== undefined ? { dispute } : {}) };
}

/**
 * Sends the `shutdown` that is due, unless updates are pending on the counterparty's commitment: ours that are unsigned, and
 * its own that it has signed for us and we not yet for it (BOLT 2, Closing Initiation). With an `update_fee`, a
 * `commitment_signed` and a `shutdown` in one go, the answer is `revoke_and_ack`, `commitment_signed`, and then `shutdown`.
 * Deployed nodes take one in a quiescent channel for a violation: it waits for the end of that.
 */
export function sendShutdownIfSigned(
  channel: OpenChannel,
  steps: readonly MonitorStep[] = [],
): Transition<OpenChannel> {
  const { shutdown, params } = channel;
  if (shutdown.kind === 'none' || shutdown.sent) return transition(channel, { steps });
  if (hasUnsignedChanges(channel.commitments) || holdsUpdates(channel)) return transition(channel, { steps });
  return transition(
    { ...channel, shutdown: { ...shutdown, sent: true } },
    {
      steps,
      messages: [{ kind: 'shutdown', channelId: params.channelId, scriptpubkey: shutdown.holderScript, tlvs: {} }],
    },
  );
}

export function receiveShutdown(
  channel: OpenChannel,
  message: MessageOf<'shutdown'>,
  features: ShutdownFeatures,
  holderScript: Uint8Array,
): Outcome<OpenChannel> {
  const { shutdown, params, commitments } = channel;
  const script = message.scriptpubkey;
  const pinned = params.counterparty.upfrontShutdownScript;
  if (pinned.length > 0 && !equalBytes(pinned, script))
    return violation('warn', 'shutdown names another script than upfront_shutdown_script');
  if (!isStandardShutdownScript(script, features)) return violation('warn', 'shutdown names a non-standard script');
  if (shutdown.kind === 'both')
    return equalBytes(shutdown.counterpartyScript, script)
      ? transition(channel)
      : violation('warn', 'shutdown names another script than before');
  if (commitments.counterpartyChanges.proposed.some((change) => change.kind === 'add'))
    return violation('warn', 'shutdown while an update_add_htlc is unsigned');
  const ours = params.holder.upfrontShutdownScript.length > 0 ? params.holder.upfrontShutdownScript : holderScript;
  const next: Shutdown =
    shutdown.kind === 'holder'
      ? { ...shutdown, kind: 'both', counterpartyScript: script }
      : { kind: 'both', holderScript: ours, sent: false, counterpartyScript: script, terms: NEW_TERMS };
  const steps: MonitorStep[] = shutdown.kind === 'none' ? [{ kind: 'shutdownScript', script: ours }] : [];
  return sendShutdownIfSigned({ ...channel, shutdown: next }, steps);
}
