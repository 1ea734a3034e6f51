import { equalBytes } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';

/** A commitment of the counterparty that was signed and is not revoked. */
export interface SignedCounterpartyCommitment {
  readonly commitmentNumber: number;
  /** 32 bytes */
  readonly sighash: Uint8Array;
  /** 33 bytes */
  readonly perCommitmentPoint: Uint8Array;
}

/** A commitment of the holder that was signed and may have been broadcast. */
export interface SignedHolderCommitment {
  readonly commitmentNumber: number;
  /** 32 bytes */
  readonly sighash: Uint8Array;
}

/**
 * What a signer must not forget. It is stored with the channel, in the write that precedes whatever the signer made
 * leaving the worker: a signer that starts from an older state would sign what it must refuse.
 */
export interface SignerState {
  /** At most two, in order: before it revokes one commitment, the counterparty can have the next. */
  readonly counterpartySigned: readonly SignedCounterpartyCommitment[];
  /** How many commitments the counterparty has revoked: all with a lower number. */
  readonly counterpartyRevoked: number;
  /** How many of the holder's per-commitment secrets were released: all with a lower number. */
  readonly holderReleased: number;
  readonly holderSigned: readonly SignedHolderCommitment[];
}

export const INITIAL_SIGNER_STATE: SignerState = {
  counterpartySigned: [],
  counterpartyRevoked: 0,
  holderReleased: 0,
  holderSigned: [],
};

/**
 * The state after signing a counterparty commitment. Throws `SignerRefused` for a revoked number, for a number that is
 * not the next, for a third commitment at a time, and for another version of a number that was signed before.
 */
export function afterSigningCounterparty(state: SignerState, signing: SignedCounterpartyCommitment): SignerState {
  const { commitmentNumber } = signing;
  if (commitmentNumber < state.counterpartyRevoked)
    throw refused('the counterparty has revoked this commitment', commitmentNumber);
  const before = state.counterpartySigned.find((signed) => signed.commitmentNumber === commitmentNumber);
  if (before) {
    if (equalBytes(before.sighash, signing.sighash)) return state;
    throw refused('another version of this commitment was signed before', commitmentNumber);
  }
  const newest = state.counterpartySigned.at(-1);
  if (commitmentNumber !== (newest ? newest.commitmentNumber + 1 : 0))
    throw refused('this commitment is not the next one', commitmentNumber);
  if (state.counterpartySigned.length >= 2)
    throw refused('two commitments of the counterparty are not revoked yet', commitmentNumber);
  return { ...state, counterpartySigned: [...state.counterpartySigned, signing] };
}

/**
 * The state after the counterparty revoked a commitment by the secret of `perCommitmentPoint`. Throws `SignerRefused`
 * unless it is the oldest of two signed ones and that was its point.
 */
export function afterCounterpartyRevoked(
  state: SignerState,
  commitmentNumber: number,
  perCommitmentPoint: Uint8Array,
): SignerState {
  const [oldest, next] = state.counterpartySigned;
  if (!oldest || !next || oldest.commitmentNumber !== commitmentNumber)
    throw refused('this commitment is not the one to be revoked', commitmentNumber);
  if (!equalBytes(oldest.perCommitmentPoint, perCommitmentPoint))
    throw refused('the secret is not that of the commitment', commitmentNumber);
  return { ...state, counterpartySigned: [next], counterpartyRevoked: commitmentNumber + 1 };
}

/**
 * The state after signing a holder commitment for broadcast. Throws `SignerRefused` when its secret was released, for
 * then everything in it belongs to the counterparty, and for another version of a number that was signed before.
 */
export function afterSigningHolder(state: SignerState, signing: SignedHolderCommitment): SignerState {
  const { commitmentNumber } = signing;
  if (commitmentNumber < state.holderReleased)
    throw refused('the secret of this commitment was released', commitmentNumber);
  if (commitmentNumber > state.holderReleased + 1)
    throw refused('this commitment is further ahead than any can be', commitmentNumber);
  const before = state.holderSigned.find((signed) => signed.commitmentNumber === commitmentNumber);
  if (!before) return { ...state, holderSigned: [...state.holderSigned, signing] };
  if (equalBytes(before.sighash, signing.sighash)) return state;
  throw refused('another version of this commitment was signed before', commitmentNumber);
}

/**
 * The state after releasing a holder secret; one released before may be released again, as `channel_reestablish` needs.
 * Throws `SignerRefused` out of order, and for a commitment that was signed and may be in the chain.
 */
export function afterReleasing(state: SignerState, commitmentNumber: number): SignerState {
  if (commitmentNumber < state.holderReleased) return state;
  if (commitmentNumber > state.holderReleased)
    throw refused('an older secret must be released first', commitmentNumber);
  if (state.holderSigned.some((signed) => signed.commitmentNumber <= commitmentNumber))
    throw refused('this commitment was signed for broadcast', commitmentNumber);
  return { ...state, holderReleased: commitmentNumber + 1 };
}

const refused = (why: string, commitmentNumber: number): GlowwormError =>
  new GlowwormError('SignerRefused', `the signer refuses: ${why}`, { commitmentNumber });
