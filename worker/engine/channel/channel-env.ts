import type { ChannelSigner } from '../keys/channel-signer.ts';
import type { ShachainStore } from '../keys/shachain.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { FeeratePerKw } from '../primitives/units.ts';
import type { ChannelConfig } from './channel-config.ts';

/** What a step of a channel needs from outside, as values of this moment. */
export interface ChannelEnv {
  readonly secp: Secp256k1;
  readonly signer: ChannelSigner;
  /** What the counterparty revealed so far, as the monitor has it. */
  readonly counterpartySecrets: ShachainStore;
  readonly config: ChannelConfig;
  readonly blockHeight: number;
  readonly feerates: ChannelFeerates;
}

export interface ChannelFeerates {
  /** For commitment transactions of new channels and our own `update_fee`. */
  readonly commitment: FeeratePerKw;
  /** For a cooperative close. */
  readonly closing: FeeratePerKw;
  /** Above this a proposal of the counterparty is absurd. */
  readonly maximum: FeeratePerKw;
}
