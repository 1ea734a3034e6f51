import { fromHex, reversed, toHex } from '../primitives/bytes.ts';

/** A txid of 32 bytes in wire order as explorers and servers show it: in hex, from its last byte. */
export const explorerTxid = (txid: Uint8Array): string => toHex(reversed(txid));

/** The 32 bytes in wire order of a txid as explorers and servers show it. */
export const wireTxid = (shown: string): Uint8Array => reversed(fromHex(shown));
