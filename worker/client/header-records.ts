import type { HeaderChainState } from '../edges/chain/header-chain.ts';
import type { PlacedHeader } from '../edges/chain/old-headers.ts';
import { equalBytes } from '../engine/primitives/bytes.ts';
import { sha256d } from '../engine/primitives/hash.ts';
import { recordsBelow, sortable, type StoredRecords } from '../engine/primitives/store.ts';
import { readable, recordFormat } from '../engine/wire/stored-record.ts';

/** The newest headers of a wallet that had no checkpoint: good for finding what has left the chain since. */
export const UNPROVEN_HEADERS_KEY = 'chain/headers';
const CHAIN_PREFIX = 'chain/header/';
const OLD_PREFIX = 'chain/old-header/';
/** A block writes the record that it belongs to anew: 2.5 kB on average. */
const PER_RECORD = 64;

const headersRecord = recordFormat('headers', 1, {
  height: [2, 'u32'],
  headers: [4, { kind: 'rest', of: { kind: 'fixed', length: 80 } }],
});

/** Told the keys of records that cannot be used: what was in them is asked for again. */
export type OnDamaged = (key: string) => void;

/** The chain from its first record on, as far as no record is damaged or missing. */
export function readHeaders(records: StoredRecords, onDamaged: OnDamaged): HeaderChainState | undefined {
  const parts: HeaderChainState[] = [];
  for (const [name, bytes] of recordsBelow(records, CHAIN_PREFIX)) {
    const part = readable(() => headersRecord.decode(bytes));
    if (part === undefined || !follows(parts.at(-1), part)) {
      onDamaged(CHAIN_PREFIX + name);
      break;
    }
    parts.push(part);
  }
  return parts[0] && { height: parts[0].height, headers: parts.flatMap(({ headers }) => headers) };
}

/** What a wallet that had no checkpoint has stored; `undefined` if it has nothing of use. */
export function readUnproven(records: StoredRecords, onDamaged: OnDamaged): HeaderChainState | undefined {
  const bytes = records.get(UNPROVEN_HEADERS_KEY);
  const stored = bytes && readable(() => headersRecord.decode(bytes));
  if (bytes !== undefined && !stored?.headers.length) onDamaged(UNPROVEN_HEADERS_KEY);
  return stored?.headers.length ? stored : undefined;
}

function follows(before: HeaderChainState | undefined, { height, headers: [first] }: HeaderChainState): boolean {
  if (first === undefined || before === undefined) return first !== undefined;
  const last = before.headers.at(-1);
  const isNext = height === before.height + before.headers.length;
  return isNext && last !== undefined && equalBytes(sha256d(last), first.subarray(4, 36));
}

/** The records that a chain's headers above a height are in; what was in them before is written over. */
export function writeHeaders({ height, headers }: HeaderChainState, above: number): ReadonlyMap<string, Uint8Array> {
  const writes = new Map<string, Uint8Array>();
  const end = height + headers.length;
  const first = Math.max(height, above + 1);
  if (first >= end) return writes;
  for (let start = first - (first % PER_RECORD); start < end; start += PER_RECORD) {
    const from = Math.max(height, start);
    const part = headers.slice(from - height, start + PER_RECORD - height);
    writes.set(CHAIN_PREFIX + sortable(start), headersRecord.encode({ height: from, headers: part }));
  }
  return writes;
}

/** Those below the chain that were proven one by one. */
export const readOldHeaders = (records: StoredRecords, onDamaged: OnDamaged): readonly PlacedHeader[] =>
  [...recordsBelow(records, OLD_PREFIX)].flatMap(([name, bytes]) => {
    const { height = 0, headers: [header] = [] } = readable(() => headersRecord.decode(bytes)) ?? {};
    if (header !== undefined) return { height, header };
    onDamaged(OLD_PREFIX + name);
    return [];
  });

export const writeOldHeaders = (proven: readonly PlacedHeader[]): ReadonlyMap<string, Uint8Array> =>
  new Map(
    proven.map(({ height, header }) => [
      OLD_PREFIX + sortable(height),
      headersRecord.encode({ height, headers: [header] }),
    ]),
  );
