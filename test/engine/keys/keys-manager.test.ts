import { describe, expect, it } from 'vitest';
import { KeysManager } from '../../../worker/engine/keys/keys-manager.ts';
import { mnemonicSeed } from '../../../worker/engine/keys/mnemonic.ts';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { p2wpkh } from '../../../worker/engine/transactions/script.ts';

const seed = mnemonicSeed('abandon '.repeat(11) + 'about');
const keys = new KeysManager(secp, seed, 'bitcoin');
const unsalted = (channelKeysIndex: number) => ({ channelKeysIndex, commitmentSalt: new Uint8Array(0) });

describe('KeysManager', () => {
  it('pays closed channels to the first address of BIP 84', () => {
    const firstAddressKey = fromHex('0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c');
    expect(toHex(keys.destinationScript())).toBe(toHex(p2wpkh(firstAddressKey)));
  });

  it('never changes a key of a seed', () => {
    const { pubkeys } = keys.deriveChannelSigner(unsalted(7), 100_000n);
    expect(toHex(keys.nodeId)).toBe('03e2ed64c913bd000c21be4a48214d89edc26f550deefc795c57b6ed7c4f9a7728');
    expect(toHex(pubkeys.fundingPubkey)).toBe('024943f7cb6c6dda555a26cbf6fa56aa7b27c024494a12c1d34f8c6c39553101f9');
    expect(toHex(keys.deriveChannelSigner(unsalted(7), 100_000n).perCommitmentPoint(0))).toBe(
      '0211765facccd73b044188ba27bca550db73ae2e8737dd814092f1ba871d316dca',
    );
    expect(toHex(keys.secretFor('inbound payments'))).toBe(
      '6ec59e484622959cb1d9305422432cf03ac9cca62e785e5e7d8c8c8986cc01a5',
    );
  });

  it('has different keys for every channel, purpose, network and label', () => {
    const publicKeys = [0, 1].flatMap((index) => Object.values(keys.deriveChannelSigner(unsalted(index), 1n).pubkeys));
    const others = [new KeysManager(secp, seed, 'signet').nodeId, keys.secretFor('a'), keys.secretFor('b')];
    const all = [...publicKeys, ...others, keys.nodeId].map(toHex);
    expect(new Set(all).size).toBe(all.length);
  });

  it('has other per-commitment secrets for the same index with another salt, and no other keys', () => {
    const [first, again, other] = [1, 1, 2].map((byte) =>
      keys.deriveChannelSigner({ channelKeysIndex: 7, commitmentSalt: new Uint8Array(32).fill(byte) }, 1n),
    );
    expect(again?.perCommitmentPoint(0)).toEqual(first?.perCommitmentPoint(0));
    expect(other?.perCommitmentPoint(0)).not.toEqual(first?.perCommitmentPoint(0));
    expect([first?.pubkeys, other?.pubkeys]).toEqual([again?.pubkeys, again?.pubkeys]);
  });

  it('signs invoices and gossip with the node key', () => {
    const hash = sha256(fromHex('01'));
    const { signature, recovery } = keys.signInvoice(hash);
    expect(secp.recover(signature, recovery, hash)).toEqual(keys.nodeId);
    expect(secp.verify(keys.signGossip(hash), hash, keys.nodeId)).toBe(true);
  });

  it('agrees on a secret with another node', () => {
    const other = new KeysManager(secp, seed, 'regtest');
    expect(keys.ecdh(other.nodeId)).toEqual(other.ecdh(keys.nodeId));
  });

  it('lists what counterparties may pay to, from the seed alone', () => {
    const scripts = keys.toRemoteScripts(3, 2);
    expect(scripts.map(({ channelKeysIndex, format }) => [channelKeysIndex, format])).toEqual([
      [3, 'static_remotekey'],
      [3, 'anchors'],
      [4, 'static_remotekey'],
      [4, 'anchors'],
    ]);
    const { paymentBasepoint } = keys.deriveChannelSigner(unsalted(4), 1n).pubkeys;
    expect(keys.paymentKey(4)).toEqual(paymentBasepoint);
    expect(scripts[2]?.script).toEqual(p2wpkh(paymentBasepoint));
    expect(scripts[3]?.script).toHaveLength(34);
  });

  it('refuses an index that BIP 32 has no room for', () => {
    expect(() => keys.paymentKey(2 ** 31)).toThrow('31 bits');
  });
});
