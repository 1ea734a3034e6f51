import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { FeatureName } from '../../../worker/engine/wire/features.ts';
import {
  assumedFeatures,
  featureBits,
  featureDependencies,
  featureSet,
  features,
  featuresFromBits,
  hasBit,
  hasFeature,
  missingDependencies,
  requiresFeature,
  trimFeatures,
  unknownEvenBits,
} from '../../../worker/engine/wire/features.ts';
import table from '../../vectors/bolt09-features.json' with { type: 'json' };
import deployed from '../../vectors/trampoline-deployed.json' with { type: 'json' };
import proposed from '../../vectors/trampoline-proposed.json' with { type: 'json' };

describe('BOLT 9 table', () => {
  it.each(table)('$name', ({ name, compulsoryBit, assumed, dependencies }) => {
    const feature = name as FeatureName;
    expect(features[feature]).toBe(compulsoryBit);
    expect(assumedFeatures.includes(feature)).toBe(assumed);
    expect(featureDependencies[feature] ?? []).toEqual(dependencies);
  });
});

it.each([...deployed.features, ...proposed.features])('$name has its bit', ({ name, compulsory }) => {
  expect(features[name as FeatureName]).toBe(compulsory);
});

describe('feature sets', () => {
  it('are big endian and minimal', () => {
    expect(toHex(featuresFromBits([]))).toBe('');
    expect(toHex(featuresFromBits([0]))).toBe('01');
    expect(toHex(featuresFromBits([8, 14, 17]))).toBe('024100');
    expect(featureBits(fromHex('0000024100'))).toEqual([8, 14, 17]);
    expect(toHex(trimFeatures(fromHex('0000024100')))).toBe('024100');
    expect(toHex(trimFeatures(fromHex('0000')))).toBe('');
  });

  it('know an optional and a compulsory feature', () => {
    const set = featureSet({ option_anchors: 'optional', option_scid_alias: 'compulsory' });
    expect(featureBits(set)).toEqual([23, 46]);
    expect(hasFeature(set, 'option_anchors')).toBe(true);
    expect(requiresFeature(set, 'option_anchors')).toBe(false);
    expect(requiresFeature(set, 'option_scid_alias')).toBe(true);
    expect(hasFeature(set, 'basic_mpp')).toBe(false);
  });

  it('find unknown even bits, not odd ones', () => {
    expect(unknownEvenBits(featuresFromBits([23, 98, 99, 1000]))).toEqual([98, 1000]);
    expect(unknownEvenBits(featuresFromBits([22, 62]), ['option_anchors'])).toEqual([62]);
  });

  it('find missing dependencies', () => {
    const zeroconf = featureSet({ option_zeroconf: 'optional', basic_mpp: 'optional' });
    expect(missingDependencies(zeroconf)).toEqual([{ feature: 'option_zeroconf', needs: 'option_scid_alias' }]);
    expect(missingDependencies(featureSet({ option_zeroconf: 'optional', option_scid_alias: 'compulsory' }))).toEqual(
      [],
    );
  });

  it('give back the bits that they were made from', () => {
    const bits = fc.uniqueArray(fc.nat({ max: 600 }), { maxLength: 20 });
    fc.assert(
      fc.property(bits, (some) => {
        const set = featuresFromBits(some);
        expect(featureBits(set)).toEqual([...some].sort((a, b) => a - b));
        expect(some.every((bit) => hasBit(set, bit))).toBe(true);
        expect(hasBit(set, 601)).toBe(false);
      }),
    );
  });
});
