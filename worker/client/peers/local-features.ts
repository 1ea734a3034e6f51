import type { FeatureName, FeatureSet } from '../../engine/wire/features.ts';
import { assumedFeatures, features, featureSet, hasFeature } from '../../engine/wire/features.ts';

/** What we offer in `init`. Compulsory is what BOLT 9 lets everybody assume, and nothing else. */
export const localFeatures: FeatureSet = featureSet({
  option_data_loss_protect: 'compulsory',
  var_onion_optin: 'compulsory',
  option_static_remotekey: 'compulsory',
  payment_secret: 'compulsory',
  option_channel_type: 'compulsory',
  option_upfront_shutdown_script: 'optional',
  basic_mpp: 'optional',
  option_support_large_channel: 'optional',
  option_anchors: 'optional',
  option_shutdown_anysegwit: 'optional',
  option_quiesce: 'optional',
  option_scid_alias: 'optional',
  option_zeroconf: 'optional',
});

/** Features that a peer may demand of us although we do not offer them: to have no gossip to tell is a good answer. */
const HARMLESS: readonly FeatureName[] = ['gossip_queries', 'gossip_queries_ex'];

/** What a peer may demand of whoever offers `local`. */
export function understoodFeatures(local: FeatureSet): readonly FeatureName[] {
  const offered = (Object.keys(features) as FeatureName[]).filter((name) => hasFeature(local, name));
  return [...new Set([...offered, ...assumedFeatures, ...HARMLESS])];
}
