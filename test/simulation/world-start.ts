import type { Secp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import type { StoredRecords } from '../../worker/engine/primitives/store.ts';
import type { InterceptionRules } from '../../worker/engine/manager/intercepted-htlcs.ts';
import type { ChannelConfig } from '../../worker/engine/channel/channel-config.ts';
import type { FeatureSet } from '../../worker/engine/wire/features.ts';
import type { NodeIdentity } from './identity.ts';
import type { ChainSnapshot } from './simulated-chain.ts';

export type SideName = 'a' | 'b' | 'c';

/** Two sides that meet. */
export type Neighbours = readonly [SideName, SideName];

/** What a world begins with. */
export interface WorldStart {
  readonly chain: ChainSnapshot;
  /** Who connects with whom: the sides of the world are those named here. */
  readonly neighbours: readonly Neighbours[];
  readonly records: Readonly<Record<SideName, StoredRecords>>;
  readonly identities: Readonly<Record<SideName, NodeIdentity>>;
  readonly secp: Secp256k1;
  readonly config: ChannelConfig;
  readonly features: FeatureSet;
  /** Which payments of others the nodes ask their apps about; none, where nothing is said. */
  readonly interception?: InterceptionRules;
}
