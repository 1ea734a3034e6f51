import { concat } from '../primitives/bytes.ts';
import { assert, GlowwormError } from '../primitives/errors.ts';
import type { TransportKeys } from './noise.ts';
import { decryptWithAd, deriveTwoKeys, encryptWithAd } from './symmetric-state.ts';

/** What a chunk of bytes completed. */
export interface Received {
  /** Whole messages, decrypted, in order. */
  readonly messages: readonly Uint8Array[];
  /** `BadMac`: the connection is to be dropped. What came before it is still good and is in `messages`. */
  readonly broken?: GlowwormError;
}

/**
 * The two directions of an established connection (BOLT 8, Lightning Message Specification): encrypts messages, and puts
 * received bytes, however they are cut, together to messages. Holds at most one incomplete frame of 65,551 bytes.
 */
export class NoiseTransport {
  readonly #sending: MessageCipher;
  readonly #receiving: MessageCipher;
  #pending = new Uint8Array(LENGTH_BYTES);
  #filled = 0;
  #awaiting: 'length' | 'body' = 'length';
  #broken: GlowwormError | undefined;

  constructor(keys: TransportKeys) {
    this.#sending = new MessageCipher(keys.sendingKey, keys.chainingKey);
    this.#receiving = new MessageCipher(keys.receivingKey, keys.chainingKey);
  }

  /** The frame of a message of at most 65,535 bytes. Frames must leave in the order in which they were made. */
  seal(message: Uint8Array): Uint8Array {
    assert(message.length <= 0xffff, 'message fits a frame');
    const length = Uint8Array.of(message.length >> 8, message.length & 0xff);
    return concat(this.#sending.encrypt(length), this.#sending.encrypt(message));
  }

  /** Takes any number of received bytes. Never throws on what a peer sends. */
  push(chunk: Uint8Array): Received {
    const messages: Uint8Array[] = [];
    let rest = chunk;
    while (this.#broken === undefined && rest.length > 0) {
      rest = this.#fill(rest);
      if (this.#filled === this.#pending.length) this.#complete(messages);
    }
    return this.#broken === undefined ? { messages } : { messages, broken: this.#broken };
  }

  #fill(bytes: Uint8Array): Uint8Array {
    const count = Math.min(bytes.length, this.#pending.length - this.#filled);
    this.#pending.set(bytes.subarray(0, count), this.#filled);
    this.#filled += count;
    return bytes.subarray(count);
  }

  #complete(messages: Uint8Array[]): void {
    const plaintext = this.#receiving.decrypt(this.#pending);
    if (plaintext === undefined) {
      this.#broken = new GlowwormError(
        'BadMac',
        'The peer sent bytes that do not decrypt; the connection is unusable.',
      );
      this.#expect('length', 0);
    } else if (this.#awaiting === 'length') {
      this.#expect('body', ((plaintext[0] ?? 0) << 8) | (plaintext[1] ?? 0));
    } else {
      messages.push(plaintext);
      this.#expect('length', LENGTH_BYTES - TAG_BYTES);
    }
  }

  #expect(what: 'length' | 'body', plaintextBytes: number): void {
    this.#awaiting = what;
    this.#pending = new Uint8Array(plaintextBytes + TAG_BYTES);
    this.#filled = 0;
  }
}

const TAG_BYTES = 16;
const LENGTH_BYTES = 2 + TAG_BYTES;
const NO_DATA = new Uint8Array(0);

/** BOLT 8, Lightning Message Key Rotation: a key is used for 1000 nonces. */
const KEY_USES = 1000;

class MessageCipher {
  #key: Uint8Array;
  #chainingKey: Uint8Array;
  #nonce = 0;

  constructor(key: Uint8Array, chainingKey: Uint8Array) {
    this.#key = key;
    this.#chainingKey = chainingKey;
  }

  encrypt(plaintext: Uint8Array): Uint8Array {
    const ciphertext = encryptWithAd(this.#key, this.#nonce, NO_DATA, plaintext);
    this.#advance();
    return ciphertext;
  }

  decrypt(ciphertext: Uint8Array): Uint8Array | undefined {
    const plaintext = decryptWithAd(this.#key, this.#nonce, NO_DATA, ciphertext);
    this.#advance();
    return plaintext;
  }

  #advance(): void {
    this.#nonce++;
    if (this.#nonce < KEY_USES) return;
    [this.#chainingKey, this.#key] = deriveTwoKeys(this.#chainingKey, this.#key);
    this.#nonce = 0;
  }
}
