import { HDKey } from '@scure/bip32';
import { p2tr } from '@scure/btc-signer';
import { coinType, type Network } from '../primitives/network.ts';
import { toHex } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';
import { p2wpkh } from '../transactions/script.ts';

/** BIP 84 addresses to receive on, BIP 84 change, and BIP 86 (taproot) addresses to receive on. */
export type Branch = 'receive' | 'change' | 'taproot';

export const BRANCHES: readonly Branch[] = ['receive', 'change', 'taproot'];

/** Where a script of the wallet comes from. */
export interface ScriptOrigin {
  readonly branch: Branch;
  readonly index: number;
}

/**
 * The scripts and secrets of the on-chain wallet, from the 64-byte seed. With c for the coin type, receive is
 * m/84'/c'/0'/0/i, change m/84'/c'/0'/1/i and taproot m/86'/c'/0'/0/i, so that any wallet finds the coins again.
 */
export class Descriptors {
  readonly network: Network;
  readonly #branches: Readonly<Record<Branch, HDKey>>;
  readonly #scripts = new Map<string, Uint8Array>();
  readonly #origins = new Map<string, ScriptOrigin>();

  constructor(seed: Uint8Array, network: Network) {
    const master = HDKey.fromMasterSeed(seed);
    const coin = coinType(network);
    this.network = network;
    this.#branches = {
      receive: master.derive(`m/84'/${coin}'/0'/0`),
      change: master.derive(`m/84'/${coin}'/0'/1`),
      taproot: master.derive(`m/86'/${coin}'/0'/0`),
    };
  }

  script(origin: ScriptOrigin): Uint8Array {
    const name = `${origin.branch}/${origin.index}`;
    const known = this.#scripts.get(name);
    if (known) return known;
    const publicKey = this.publicKey(origin);
    const script = origin.branch === 'taproot' ? p2tr(publicKey.subarray(1)).script : p2wpkh(publicKey);
    this.#scripts.set(name, script);
    this.#origins.set(toHex(script), { branch: origin.branch, index: origin.index });
    return script;
  }

  /** Where a script comes from, if it is one that `script` has made before. */
  originOf(script: Uint8Array): ScriptOrigin | undefined {
    return this.#origins.get(toHex(script));
  }

  /** 33 bytes; of a taproot branch the internal key. */
  publicKey(origin: ScriptOrigin): Uint8Array {
    const { publicKey } = this.#key(origin);
    assert(publicKey !== null, 'a branch of a seed has a public key');
    return publicKey;
  }

  /** 32 bytes; of a taproot branch before its tweak. */
  secret(origin: ScriptOrigin): Uint8Array {
    const { privateKey } = this.#key(origin);
    assert(privateKey !== null, 'a branch of a seed has a private key');
    return privateKey;
  }

  #key({ branch, index }: ScriptOrigin): HDKey {
    return this.#branches[branch].deriveChild(index);
  }
}
