import { equalBytes, toHex } from '../../engine/primitives/bytes.ts';
import type { GlowwormError } from '../../engine/primitives/errors.ts';
import type { FeatureSet } from '../../engine/wire/features.ts';
import {
  assumedFeatures,
  hasFeature,
  missingDependencies,
  requiresFeature,
  unknownEvenBits,
} from '../../engine/wire/features.ts';
import type { MessageOf } from '../../engine/wire/message.ts';
import { understoodFeatures } from './local-features.ts';
import { peerProblem } from './peer-problem.ts';

/** Our `init` (BOLT 1): with the chain, so that a node of another network says so at once. */
export const initMessage = (features: FeatureSet, chainHash: Uint8Array): MessageOf<'init'> => ({
  kind: 'init',
  globalfeatures: new Uint8Array(0),
  features,
  tlvs: { networks: [chainHash] },
});

/** The features of an `init`: BOLT 1 joins both of its fields. */
export function featuresOf({ globalfeatures, features }: MessageOf<'init'>): FeatureSet {
  const [longer, shorter] =
    globalfeatures.length > features.length ? [globalfeatures, features] : [features, globalfeatures];
  const joined = Uint8Array.from(longer);
  const offset = longer.length - shorter.length;
  shorter.forEach((byte, index) => {
    joined[offset + index] = (joined[offset + index] ?? 0) | byte;
  });
  return joined;
}

/** Why we and this peer cannot work together: `PeerOtherNetwork`, `PeerFeatureUnsupported`. */
export function checkInit(
  init: MessageOf<'init'>,
  localFeatures: FeatureSet,
  chainHash: Uint8Array,
): GlowwormError | undefined {
  const networks = init.tlvs.networks;
  if (networks !== undefined && !networks.some((network) => equalBytes(network, chainHash)))
    return peerProblem('PeerOtherNetwork', 'The peer is on another network (chain) than this wallet.', {
      theirChainHash: networks[0] && toHex(networks[0]),
    });
  return checkFeatures(featuresOf(init), localFeatures);
}

function checkFeatures(theirs: FeatureSet, ours: FeatureSet): GlowwormError | undefined {
  const understood = understoodFeatures(ours);
  const [demanded] = unknownEvenBits(theirs, understood);
  if (demanded !== undefined)
    return unsupported(`it demands feature bit ${demanded}, which this wallet does not have`, { bit: demanded });
  const lacking = understood.find(
    (name) => requiresFeature(ours, name) && !assumedFeatures.includes(name) && !hasFeature(theirs, name),
  );
  if (lacking !== undefined) return unsupported(`it lacks ${lacking}`, { feature: lacking });
  const [missing] = missingDependencies(theirs);
  if (missing !== undefined)
    return unsupported(`it offers ${missing.feature} without ${missing.needs}`, { feature: missing.feature });
  return undefined;
}

const unsupported = (what: string, details: { readonly bit?: number; readonly feature?: string }): GlowwormError =>
  peerProblem('PeerFeatureUnsupported', `The peer and this wallet can't work together: ${what}.`, details);
