/** The compulsory (even) bit of every feature; the optional one is the next. Those of BOLT 9, and what stands beside it. */
export const features = {
  option_data_loss_protect: 0,
  option_upfront_shutdown_script: 4,
  gossip_queries: 6,
  var_onion_optin: 8,
  gossip_queries_ex: 10,
  option_static_remotekey: 12,
  payment_secret: 14,
  basic_mpp: 16,
  option_support_large_channel: 18,
  option_anchors: 22,
  option_route_blinding: 24,
  option_shutdown_anysegwit: 26,
  option_dual_fund: 28,
  option_quiesce: 34,
  option_attribution_data: 36,
  option_onion_messages: 38,
  zero_fee_commitments: 40,
  option_provide_storage: 42,
  option_channel_type: 44,
  option_scid_alias: 46,
  option_payment_metadata: 48,
  option_zeroconf: 50,
  /** BOLT proposal 836. */
  trampoline_routing: 56,
  option_simple_close: 60,
  option_splice: 62,
  option_simple_taproot: 80,
  /** Trampoline as deployed: the bit of eclair and Phoenix, and Electrum's own. */
  trampoline_payment_experimental: 148,
  trampoline_electrum: 150,
} as const;

export type FeatureName = keyof typeof features;

/** Features that every node has, whether it sets the bit or not (BOLT 9, ASSUMED). */
export const assumedFeatures: readonly FeatureName[] = [
  'option_data_loss_protect',
  'var_onion_optin',
  'option_static_remotekey',
  'payment_secret',
  'option_channel_type',
];

/** What a feature's bit promises besides. */
export const featureDependencies: Readonly<Partial<Record<FeatureName, readonly FeatureName[]>>> = {
  basic_mpp: ['payment_secret'],
  zero_fee_commitments: ['option_channel_type'],
  option_zeroconf: ['option_scid_alias'],
  option_simple_close: ['option_shutdown_anysegwit'],
  option_simple_taproot: ['option_channel_type', 'option_simple_close'],
};

/**
 * Feature bits as they travel: big endian, bit 0 is the lowest of the last byte. Kept as bytes, because a peer may send
 * half a million of them. Leading zeros mean nothing; `trimFeatures` drops them.
 */
export type FeatureSet = Uint8Array;

/** Whether a feature is compulsory or optional for whoever sets it. */
export type FeatureDemand = 'compulsory' | 'optional';

/** The shortest bytes with these features set. */
export function featureSet(demands: Readonly<Partial<Record<FeatureName, FeatureDemand>>>): FeatureSet {
  const bits = featureNames
    .filter((name) => demands[name] !== undefined)
    .map((name) => features[name] + (demands[name] === 'optional' ? 1 : 0));
  return featuresFromBits(bits);
}

/** The shortest bytes with these bits set. */
export function featuresFromBits(bits: readonly number[]): FeatureSet {
  const length = bits.reduce((most, bit) => Math.max(most, (bit >> 3) + 1), 0);
  const bytes = new Uint8Array(length);
  for (const bit of bits) {
    const at = length - 1 - (bit >> 3);
    bytes[at] = (bytes[at] ?? 0) | (1 << (bit & 7));
  }
  return bytes;
}

/** The bits that are set, lowest first. */
export function featureBits(set: FeatureSet): readonly number[] {
  const bits: number[] = [];
  for (let i = set.length - 1; i >= 0; i--) {
    const byte = set[i] ?? 0;
    for (let bit = 0; bit < 8; bit++) if ((byte >> bit) & 1) bits.push(8 * (set.length - 1 - i) + bit);
  }
  return bits;
}

/** Whether one bit is set. */
export const hasBit = (set: FeatureSet, bit: number): boolean =>
  (((set[set.length - 1 - (bit >> 3)] ?? 0) >> (bit & 7)) & 1) === 1;

/** Whether a feature is offered or demanded: either of its bits is set. */
export const hasFeature = (set: FeatureSet, name: FeatureName): boolean =>
  hasBit(set, features[name]) || hasBit(set, features[name] + 1);

/** Whether a feature is demanded: its even bit is set. */
export const requiresFeature = (set: FeatureSet, name: FeatureName): boolean => hasBit(set, features[name]);

/** The even bits of a set that none of `understood` stands for: whoever meets one must not go on (BOLT 9). */
export function unknownEvenBits(set: FeatureSet, understood: readonly FeatureName[] = featureNames): readonly number[] {
  const known = new Set<number>(understood.map((name) => features[name]));
  return featureBits(set).filter((bit) => bit % 2 === 0 && !known.has(bit));
}

/** A feature that is set without one that it depends on. */
export interface MissingDependency {
  readonly feature: FeatureName;
  readonly needs: FeatureName;
}

/** What is missing for every set feature's dependencies; assumed features are never missing. */
export function missingDependencies(set: FeatureSet): readonly MissingDependency[] {
  return featureNames
    .filter((feature) => hasFeature(set, feature))
    .flatMap((feature) => (featureDependencies[feature] ?? []).map((needs) => ({ feature, needs })))
    .filter(({ needs }) => !assumedFeatures.includes(needs) && !hasFeature(set, needs));
}

/** The same bits in the fewest bytes. */
export function trimFeatures(set: FeatureSet): FeatureSet {
  const first = set.findIndex((byte) => byte !== 0);
  return first < 0 ? new Uint8Array(0) : set.slice(first);
}

/** The names of every feature above. */
export const featureNames: readonly FeatureName[] = Object.keys(features) as FeatureName[];
