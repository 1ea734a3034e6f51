import type { Outpoint } from '../../transactions/transaction.ts';
import type { ChainStep } from '../monitor-update.ts';
import type { ClaimPackage } from './claim-package.ts';
import { claimName } from './claim-transaction.ts';

type PackagesChanged = Extract<ChainStep, { readonly kind: 'packagesChanged' }>;

/** What is different between two states of a monitor's packages; `undefined` where nothing is. */
export function packageChanges(
  before: readonly ClaimPackage[],
  after: readonly ClaimPackage[],
): PackagesChanged | undefined {
  const names = new Set(after.map(nameOf));
  const over = before.filter((each) => !names.has(nameOf(each))).map(firstOf);
  const made = after.filter((each) => !before.includes(each));
  return over.length + made.length === 0 ? undefined : { kind: 'packagesChanged', over, made };
}

export function changedPackages(
  before: readonly ClaimPackage[],
  { over, made }: PackagesChanged,
): readonly ClaimPackage[] {
  const gone = new Set(over.map(claimName));
  const anew = new Map(made.map((each) => [nameOf(each), each]));
  const known = new Set(before.map(nameOf));
  return [
    ...before.filter((each) => !gone.has(nameOf(each))).map((each) => anew.get(nameOf(each)) ?? each),
    ...made.filter((each) => !known.has(nameOf(each))),
  ];
}

/** A package's id: no other takes any of its outpoints. One that goes on without its first outpoint is another package. */
const nameOf = (each: ClaimPackage): string => claimName(firstOf(each));

const NOWHERE: Outpoint = { txid: new Uint8Array(32), vout: 0 };

const firstOf = ({ outpoints: [first = NOWHERE] }: ClaimPackage): Outpoint => first;
