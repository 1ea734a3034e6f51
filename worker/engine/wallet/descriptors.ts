import { HDKey } from '@scure/bip32';
import { p2tr } from '@scure/btc-signer';
import { coinType, type Network } from '../primitives/network.ts';
import { toHex } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';
import { p2pkh, p2shP2wpkh, p2wpkh } from '../transactions/script.ts';

/** BIP 84 and BIP 86 (taproot) addresses: to receive on, and for change. The wallet hands out those of the first three. */
export type OwnBranch = 'receive' | 'change' | 'taproot' | 'taprootChange';

/** BIP 44 (P2PKH) and BIP 49 (P2SH-P2WPKH) addresses, where another wallet may have left coins of the same words. */
export type FoundBranch = 'legacy' | 'legacyChange' | 'nested' | 'nestedChange';

export type Branch = OwnBranch | FoundBranch;

export const OWN_BRANCHES: readonly OwnBranch[] = ['receive', 'change', 'taproot', 'taprootChange'];

export const FOUND_BRANCHES: readonly FoundBranch[] = ['legacy', 'legacyChange', 'nested', 'nestedChange'];

/** By their number in stored records. */
export const BRANCHES: readonly Branch[] = [...OWN_BRANCHES, ...FOUND_BRANCHES];

/** m/purpose'/c'/0'/chain/i */
const PATHS = {
  receive: { purpose: 84, chain: 0 },
  change: { purpose: 84, chain: 1 },
  taproot: { purpose: 86, chain: 0 },
  taprootChange: { purpose: 86, chain: 1 },
  legacy: { purpose: 44, chain: 0 },
  legacyChange: { purpose: 44, chain: 1 },
  nested: { purpose: 49, chain: 0 },
  nestedChange: { purpose: 49, chain: 1 },
} as const satisfies Record<Branch, { readonly purpose: number; readonly chain: number }>;

/** Where a script of the wallet comes from. */
export interface ScriptOrigin {
  readonly branch: Branch;
  readonly index: number;
}

/** Whether something is of a branch that the wallet only empties. */
export const isFound = ({ branch }: Pick<ScriptOrigin, 'branch'>): boolean =>
  FOUND_BRANCHES.some((found) => found === branch);

export type ScriptKind = 'p2pkh' | 'p2sh-p2wpkh' | 'p2wpkh' | 'p2tr';

const KINDS = { 44: 'p2pkh', 49: 'p2sh-p2wpkh', 84: 'p2wpkh', 86: 'p2tr' } as const satisfies Record<
  number,
  ScriptKind
>;

/** How the scripts of a branch are made. */
export const scriptKind = ({ branch }: Pick<ScriptOrigin, 'branch'>): ScriptKind => KINDS[PATHS[branch].purpose];

/**
 * The scripts and secrets of the on-chain wallet, from the 64-byte seed. With c for the coin type, receive is
 * m/84'/c'/0'/0/i, change m/84'/c'/0'/1/i and taproot m/86'/c'/0'/0/i, so that any wallet finds the coins again: and this one
 * those of others.
 */
export class Descriptors {
  readonly network: Network;
  readonly #master: HDKey;
  readonly #branches = new Map<Branch, HDKey>();
  readonly #scripts = new Map<string, Uint8Array>();
  readonly #origins = new Map<string, ScriptOrigin>();

  constructor(seed: Uint8Array, network: Network) {
    this.network = network;
    this.#master = HDKey.fromMasterSeed(seed);
  }

  script(origin: ScriptOrigin): Uint8Array {
    const name = `${origin.branch}/${origin.index}`;
    const known = this.#scripts.get(name);
    if (known) return known;
    const script = scriptOf(origin, this.publicKey(origin));
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
    return this.#branch(branch).deriveChild(index);
  }

  /** Derived when it is first used: each step costs a multiplication, and what is only found at a restore mostly is never. */
  #branch(branch: Branch): HDKey {
    const { purpose, chain } = PATHS[branch];
    const known = this.#branches.get(branch);
    const key = known ?? this.#master.derive(`m/${purpose}'/${coinType(this.network)}'/0'/${chain}`);
    if (known === undefined) this.#branches.set(branch, key);
    return key;
  }
}

function scriptOf(origin: ScriptOrigin, publicKey: Uint8Array): Uint8Array {
  const kind = scriptKind(origin);
  switch (kind) {
    case 'p2pkh':
      return p2pkh(publicKey);
    case 'p2sh-p2wpkh':
      return p2shP2wpkh(publicKey);
    case 'p2wpkh':
      return p2wpkh(publicKey);
    case 'p2tr':
      return p2tr(publicKey.subarray(1)).script;
    default:
      return kind satisfies never;
  }
}
