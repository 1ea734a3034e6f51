import type { Secp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import type { NodeSigner, SignerProvider } from '../../worker/engine/keys/ports.ts';
import { Descriptors } from '../../worker/engine/wallet/descriptors.ts';
import { SimulatedKeys } from './simulated-keys.ts';

/** Who a simulated node is, for all its restarts. */
export interface NodeIdentity {
  readonly keys: NodeSigner & SignerProvider;
  readonly descriptors: Descriptors;
}

export function identityOf(secp: Secp256k1, name: string): NodeIdentity {
  const descriptors = new Descriptors(new Uint8Array(64).fill(name.charCodeAt(0)), 'regtest');
  return { descriptors, keys: new SimulatedKeys(secp, name, descriptors.script({ branch: 'receive', index: 0 })) };
}
