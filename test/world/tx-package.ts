import type { BcoinTx } from 'bcoin';

/** A transaction of a package, and why it is not in the mempool if it is not. */
export interface PackagedTx {
  readonly tx: BcoinTx;
  /** In satoshi. */
  readonly fee: number;
  readonly error?: string;
}

export interface PackageResult {
  readonly message: string;
  readonly txs: readonly PackagedTx[];
}

/** Whether the last spends from each of the others, and none of those from another. */
export function isChildWithParents(txs: readonly BcoinTx[]): boolean {
  const [child, ...parents] = txs.toReversed();
  const spent = (tx: BcoinTx | undefined): readonly string[] => tx?.inputs.map(({ prevout }) => prevout.hash) ?? [];
  const ids = new Set(parents.map((parent) => parent.hash('hex')));
  return (
    child !== undefined &&
    [...ids].every((id) => spent(child).includes(id)) &&
    !parents.some((parent) => spent(parent).some((id) => ids.has(id)))
  );
}

/** The answer of Core's `submitpackage` as electrs passes it on: with `null` for what is not there. */
export function packageJson({ message, txs }: PackageResult): object {
  const results = txs.map(({ tx, fee, error }) => {
    const isIn = error === undefined;
    const [vsize, fees] = isIn ? [tx.getVirtualSize(), { base: fee / 1e8 }] : [null, null];
    return [tx.wtxid(), { txid: tx.txid(), 'other-wtxid': null, vsize, fees, error: error ?? null }] as const;
  });
  return { package_msg: message, 'tx-results': Object.fromEntries(results), 'replaced-transactions': [] };
}
