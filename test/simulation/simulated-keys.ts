import type { ChannelKeysId } from '../../worker/engine/transactions/channel-parameters.ts';
import { concat, toHex } from '../../worker/engine/primitives/bytes.ts';
import { sha256 } from '../../worker/engine/primitives/hash.ts';
import type { Secp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import { ChannelSigner, type SignerState } from '../../worker/engine/keys/channel-signer.ts';
import type { NodeSigner, SignerProvider } from '../../worker/engine/keys/ports.ts';

/** The keys of a simulated node, hashed from its name: a restart in a simulation should not cost a derivation. */
export class SimulatedKeys implements NodeSigner, SignerProvider {
  readonly nodeId: Uint8Array;
  readonly #secp: Secp256k1;
  readonly #name: string;
  readonly #script: Uint8Array;
  readonly #nodeSecret: Uint8Array;

  /** `script` is one of the wallet's. */
  constructor(secp: Secp256k1, name: string, script: Uint8Array) {
    this.#secp = secp;
    this.#name = name;
    this.#script = script;
    this.#nodeSecret = this.#secret('node');
    this.nodeId = secp.publicKey(this.#nodeSecret);
  }

  ecdh(point: Uint8Array): Uint8Array {
    return this.#secp.ecdh(this.#nodeSecret, point);
  }

  signInvoice(hash: Uint8Array): { signature: Uint8Array; recovery: number } {
    return this.#secp.signRecoverable(hash, this.#nodeSecret);
  }

  signGossip(hash: Uint8Array): Uint8Array {
    return this.#secp.sign(hash, this.#nodeSecret);
  }

  deriveChannelSigner(keysId: ChannelKeysId, channelValueSat: bigint, state?: SignerState): ChannelSigner {
    const { channelKeysIndex, commitmentSalt } = keysId;
    const secret = (purpose: string): Uint8Array => this.#secret(`${channelKeysIndex}/${purpose}`);
    const secrets = {
      funding: secret('funding'),
      revocationBase: secret('revocation'),
      paymentBase: secret('payment'),
      delayedPaymentBase: secret('delayed'),
      htlcBase: secret('htlc'),
      commitmentSeed: secret(`seed ${toHex(commitmentSalt)}`),
    };
    return new ChannelSigner(this.#secp, secrets, channelValueSat, state);
  }

  destinationScript(): Uint8Array {
    return this.#script;
  }

  /** Below the order of the curve for certain. */
  #secret(purpose: string): Uint8Array {
    const text = Uint8Array.from(`${this.#name}/${purpose}`, (character) => character.charCodeAt(0));
    return concat(Uint8Array.of(1), sha256(text).subarray(1));
  }
}
