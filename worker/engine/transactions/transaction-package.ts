/**
 * Raw transactions that are broadcast together: one, or a parent with the child that pays for it, which a node whose minimum the
 * parent does not reach takes in only beside each other.
 */
export type TransactionPackage = readonly [transaction: Uint8Array] | readonly [parent: Uint8Array, child: Uint8Array];
