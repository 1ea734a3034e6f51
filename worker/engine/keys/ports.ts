import type { ChannelKeysId } from '../transactions/channel-parameters.ts';
import type { ChannelSigner, SignerState } from './channel-signer.ts';

/** Where fresh randomness comes from; the platform implements it. */
export interface EntropySource {
  /** 32 bytes that nobody can predict and that never repeat. */
  getSecureRandomBytes(): Uint8Array;
}

/** What the node's own key does. Hashes are 32 bytes, signatures 64 (compact). */
export interface NodeSigner {
  /** 33 bytes */
  readonly nodeId: Uint8Array;
  /** SHA256 of the shared point, as BOLT 4 and BOLT 8 use it. */
  ecdh(point: Uint8Array): Uint8Array;
  signInvoice(hash: Uint8Array): { signature: Uint8Array; recovery: number };
  signGossip(hash: Uint8Array): Uint8Array;
}

/** Makes the signers of channels. */
export interface SignerProvider {
  /**
   * The signer of a channel: the same keys for the same id, for ever. `state` is what the channel's record kept;
   * without it the signer starts as that of a new channel.
   */
  deriveChannelSigner(keysId: ChannelKeysId, channelValueSat: bigint, state?: SignerState): ChannelSigner;
  /** For channels that have no script of their own. */
  destinationScript(): Uint8Array;
}
