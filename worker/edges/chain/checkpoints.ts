import type { Network } from '../../engine/primitives/network.ts';

/** The hashes of a network's old periods, see `LoadCheckpoints`. They come only where they are needed: most wallets need none. */
export async function checkpointHashes(network: Network): Promise<Uint8Array> {
  return Uint8Array.from(atob(await encodedHashes(network)), (character) => character.charCodeAt(0));
}

async function encodedHashes(network: Network): Promise<string> {
  switch (network) {
    case 'bitcoin':
      return (await import('./checkpoints/bitcoin.ts')).HASHES;
    case 'testnet':
      return (await import('./checkpoints/testnet.ts')).HASHES;
    case 'testnet4':
      return (await import('./checkpoints/testnet4.ts')).HASHES;
    case 'signet':
      return (await import('./checkpoints/signet.ts')).HASHES;
    // Of these there are none: what is older than the checkpoint is linked up to it.
    case 'mutinynet':
    case 'regtest':
      return '';
    default:
      return network satisfies never;
  }
}
