/**
 * What one turn changed, by key: new bytes, or `undefined` to delete. All of it goes into one transaction. Keys are
 * paths; whoever owns a prefix is the only one to write below it, and `<n>` names a channel by its keys' index:
 *
 *     meta/…                      the wallet's own facts (client)
 *     chan/<n>/params|state|…     a channel: what never changes, what every step writes, the funding transaction (manager)
 *     chan/<n>/htlc/<id>           the onion of an inbound HTLC (manager)
 *     mon/<n>/params|snap|…       a monitor: parameters, snapshot, a ring of updates (`upd/…`), revoked commitments (`old/…`):
 *                                 enough for the channel's money, with the seed (monitor persister)
 *     arch/<n>/…                  what is left of a channel that is over, or never had a funding; never read (manager)
 *     pay/…, inv/…                outbound payments, invoices (payments)
 *     evt/…                       events until they are acknowledged (manager)
 *     coin/…, chain/…             the on-chain wallet, headers (`header/…`, `old-header/…`), feerates (client)
 */
export type StoreWrites = Map<string, Uint8Array | undefined>;

/** Everything that was durable when the store was opened, sorted by key. */
export type StoredRecords = ReadonlyMap<string, Uint8Array>;

/** The records below a prefix, keys without it. */
export function* recordsBelow(records: StoredRecords, prefix: string): Generator<[string, Uint8Array]> {
  for (const [key, value] of records) if (key.startsWith(prefix)) yield [key.slice(prefix.length), value];
}

/** A number as a key part that sorts as the number does. */
export const sortable = (value: number | bigint): string => value.toString().padStart(12, '0');

/** A counter as a record: 4 bytes, big endian. */
export const writeCount = (count: number): Uint8Array =>
  Uint8Array.of(count >>> 24, (count >>> 16) & 0xff, (count >>> 8) & 0xff, count & 0xff);

export const readCount = (bytes: Uint8Array): number => bytes.reduce((value, byte) => value * 256 + byte, 0);
