import type { Secp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import type { StoredRecords } from '../../worker/engine/primitives/store.ts';
import type { ChannelConfig } from '../../worker/engine/channel/channel-config.ts';
import type { FeatureSet } from '../../worker/engine/wire/features.ts';
import type { NodeIdentity } from './identity.ts';
import type { ChainSnapshot } from './simulated-chain.ts';

export type SideName = 'a' | 'b';

/** What a world begins with. */
export interface WorldStart {
  readonly chain: ChainSnapshot;
  readonly records: Readonly<Record<SideName, StoredRecords>>;
  readonly identities: Readonly<Record<SideName, NodeIdentity>>;
  readonly secp: Secp256k1;
  readonly config: ChannelConfig;
  readonly features: FeatureSet;
}
