import bcoin from 'bcoin';
import type { Confirmation } from './chain-index.ts';

/** BIP 37's `merkleblock` of one transaction: header, count, hashes, flags. */
export function merkleBlock({ block, position }: Confirmation): Uint8Array {
  const hash = block.txs[position]?.hash('hex') ?? '';
  return bcoin.MerkleBlock.fromHashes(bcoin.Block.fromRaw(Buffer.from(block.raw)), [hash]).toRaw();
}
