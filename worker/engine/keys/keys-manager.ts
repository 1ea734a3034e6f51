import { HDKey } from '@scure/bip32';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { assert } from '../primitives/errors.ts';
import { hmacSha256 } from '../primitives/hash.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { ChannelKeysId } from '../transactions/channel-parameters.ts';
import { toRemoteOutputScript, type CommitmentFormat } from '../transactions/channel-scripts.ts';
import { p2wpkh } from '../transactions/script.ts';
import { ChannelSigner, type ChannelSecrets, type SignerState } from './channel-signer.ts';
import { coinType, type Network } from '../primitives/network.ts';
import type { NodeSigner, SignerProvider } from './ports.ts';

/** A script that a counterparty's commitment may pay us with, known from the seed alone. */
export interface ToRemoteScript {
  readonly channelKeysIndex: number;
  readonly format: CommitmentFormat;
  readonly script: Uint8Array;
}

/**
 * All keys of a wallet from its 64-byte seed (BIP 39 and BIP 32), where c is the coin type of the network:
 *
 *     m/1017'/c'/6'/0/0     the node's key
 *     m/1017'/c'/7'/n'/k'   channel n: funding, revocation, payment, delayed, HTLC base, commitment seed (k = 0 to 5)
 *                           the commitment seed with the channel's salt, where it has one (HMAC-SHA256)
 *     m/1017'/c'/9'         root of other secrets, told apart by a label
 *     m/84'/c'/0'/0/0       where closed channels pay to that have no address of their own: one of the on-chain wallet
 *
 * The seed alone therefore finds again what a channel that its peer closed paid to us.
 */
export class KeysManager implements NodeSigner, SignerProvider {
  readonly nodeId: Uint8Array;
  readonly #secp: Secp256k1;
  readonly #nodeSecret: Uint8Array;
  readonly #channels: HDKey;
  readonly #labelRoot: Uint8Array;
  readonly #destination: Uint8Array;

  constructor(secp: Secp256k1, seed: Uint8Array, network: Network) {
    assert(seed.length === 64, 'a BIP 39 seed has 64 bytes');
    const coin = coinType(network);
    const master = HDKey.fromMasterSeed(seed);
    this.#secp = secp;
    // Each step costs a multiplication, at every start: what the paths share is derived once.
    const lightning = master.derive(`m/1017'/${coin}'`);
    this.#nodeSecret = secretOf(lightning.deriveChild(hardened(6)).deriveChild(0).deriveChild(0));
    this.#channels = lightning.deriveChild(hardened(7));
    this.#labelRoot = secretOf(lightning.deriveChild(hardened(9)));
    this.#destination = p2wpkh(secp.publicKey(secretOf(master.derive(`m/84'/${coin}'/0'/0/0`))));
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
    return new ChannelSigner(this.#secp, this.#channelSecrets(keysId), channelValueSat, state);
  }

  /** Always the same script: that of channels from before they had one each, and of those whose peer takes no promise of one. */
  destinationScript(): Uint8Array {
    return this.#destination;
  }

  /** The payment basepoint of a channel, 33 bytes: with option_static_remotekey `to_remote` pays to it. */
  paymentKey(channelKeysIndex: number): Uint8Array {
    return this.#secp.publicKey(secretOf(this.#channelBranch(channelKeysIndex).deriveChild(hardened(2))));
  }

  /** What to search the chain for after all records were lost: both formats of the channels from an index on. */
  toRemoteScripts(from: number, count: number): ToRemoteScript[] {
    const formats: readonly CommitmentFormat[] = ['static_remotekey', 'anchors'];
    return Array.from({ length: count }, (_, offset) => from + offset).flatMap((channelKeysIndex) => {
      const paymentKey = this.paymentKey(channelKeysIndex);
      return formats.map((format) => ({ channelKeysIndex, format, script: toRemoteOutputScript(format, paymentKey) }));
    });
  }

  /** A 32-byte secret for another purpose, named by a label that is never changed. */
  secretFor(label: string): Uint8Array {
    return hmacSha256(this.#labelRoot, utf8ToBytes(label));
  }

  #channelBranch(channelKeysIndex: number): HDKey {
    return this.#channels.deriveChild(hardened(channelKeysIndex));
  }

  #channelSecrets({ channelKeysIndex, commitmentSalt }: ChannelKeysId): ChannelSecrets {
    const branch = this.#channelBranch(channelKeysIndex);
    const secret = (purpose: number): Uint8Array => secretOf(branch.deriveChild(hardened(purpose)));
    return {
      funding: secret(0),
      revocationBase: secret(1),
      paymentBase: secret(2),
      delayedPaymentBase: secret(3),
      htlcBase: secret(4),
      commitmentSeed: commitmentSalt.length === 0 ? secret(5) : hmacSha256(secret(5), commitmentSalt),
    };
  }
}

function hardened(index: number): number {
  assert(Number.isInteger(index) && index >= 0 && index < 0x8000_0000, 'an index of BIP 32 has 31 bits');
  return index + 0x8000_0000;
}

function secretOf({ privateKey }: HDKey): Uint8Array {
  assert(privateKey !== null, 'a branch of a seed has a private key');
  return privateKey;
}
