import { failureCode, failureFlags, type Failure } from '../failure-message.ts';
import { readReturnPacket, type AttributedFailure, type ReturnPacket, type ReturnReading } from '../failures.ts';
import type { TrampolineDialect } from '../hop-instruction.ts';
import { trampolineDialects } from './trampoline-dialect.ts';
import type { TrampolineFault } from './trampoline-terms.ts';

/** How a part of ours towards the next node failed, and how many hops the part had. */
export interface DownstreamFailure {
  readonly reading: ReturnReading;
  readonly hopCount: number;
}

/** What a trampoline node answers when it gives up. */
export type TrampolineAnswer =
  | { readonly kind: 'fault'; readonly fault: TrampolineFault }
  /** What the next node has said to us: only we can say it to others. */
  | { readonly kind: 'repeat'; readonly failure: Failure }
  /** What we cannot read is for the sender of the payment, or garbled: nobody else can tell. */
  | { readonly kind: 'passOn'; readonly unwrapped: ReturnPacket };

/** What the parts that have failed let us answer; the first that says something says it for all. */
export function answerUpstream(dialect: TrampolineDialect, failures: readonly DownstreamFailure[]): TrampolineAnswer {
  const answers = failures.flatMap((failure) => answerTo(dialect, failure) ?? []);
  return answers[0] ?? { kind: 'fault', fault: 'temporary' };
}

/** Whom a failure is of, seen from the sender of a payment. */
export type FailureOrigin =
  /** A node before the trampoline node; 0 is our peer. */
  | { readonly kind: 'outerHop'; readonly hopIndex: number }
  /** The trampoline node that the outer onion was for. */
  | { readonly kind: 'trampoline' }
  /** A node behind it: a hop of the trampoline onion, from 1 on; `undefined` where the trampoline node has repeated it. */
  | { readonly kind: 'behind'; readonly hopIndex: number | undefined };

/** The sender's reading of what a part to a trampoline node brought back. */
export type TrampolineFailureReading = { readonly holdTimesMs: readonly number[] } & (
  | { readonly kind: 'failed'; readonly origin: FailureOrigin; readonly failure: Failure }
  | { readonly kind: 'garbled'; readonly blamed: readonly FailureOrigin[] }
);

/** The secrets of both onions of a part, first hop first. */
export interface TrampolinePartSecrets {
  readonly outer: readonly Uint8Array[];
  readonly trampoline: readonly Uint8Array[];
}

/** Takes the layers of the outer onion off, then those of the trampoline onion. */
export function readTrampolineFailure(secrets: TrampolinePartSecrets, packet: ReturnPacket): TrampolineFailureReading {
  const outerHops = secrets.outer.length;
  const reading = readReturnPacket([...secrets.outer, ...secrets.trampoline], packet);
  const { holdTimesMs } = reading;
  if (reading.kind === 'garbled')
    return { kind: 'garbled', blamed: reading.blamedHops.map((hop) => originOf(hop, outerHops)), holdTimesMs };
  const { failure } = reading;
  return { kind: 'failed', origin: originOfFailure(reading, outerHops), failure, holdTimesMs };
}

function answerTo(dialect: TrampolineDialect, { reading, hopCount }: DownstreamFailure): TrampolineAnswer | undefined {
  const repeats = trampolineDialects[dialect].failureLayers === 'outer';
  if (reading.kind === 'garbled') return repeats ? undefined : { kind: 'passOn', unwrapped: reading.unwrapped };
  const isOfNext = reading.hopIndex === hopCount - 1;
  return repeats && isOfNext && isForSender(reading.failure) ? { kind: 'repeat', failure: reading.failure } : undefined;
}

/**
 * What the next node says of its channels, of our onion or of the parts that we have sent is for us; and of what we do not
 * know we cannot tell.
 */
const isForSender = (failure: Failure): boolean =>
  failure.kind !== 'unknown' &&
  failure.kind !== 'mpp_timeout' &&
  (failureCode(failure) & (failureFlags.badOnion | failureFlags.update)) === 0;

/** The last hop of the outer onion is the first of the trampoline onion. */
function originOf(hop: number, outerHops: number): FailureOrigin {
  if (hop < outerHops - 1) return { kind: 'outerHop', hopIndex: hop };
  return hop <= outerHops ? { kind: 'trampoline' } : { kind: 'behind', hopIndex: hop - outerHops };
}

/** Only a payee knows what an invoice says: a trampoline node that says so repeats it. */
const originOfFailure = ({ hopIndex, failure }: AttributedFailure, outerHops: number): FailureOrigin =>
  hopIndex === outerHops - 1 && failure.kind === 'incorrect_or_unknown_payment_details'
    ? { kind: 'behind', hopIndex: undefined }
    : originOf(hopIndex, outerHops);
