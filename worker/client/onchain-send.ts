import type { RejectReason } from '../edges/chain/broadcaster.ts';
import { fromHex, fromUtf8, toHex, toUtf8 } from '../engine/primitives/bytes.ts';
import { recordFormat } from '../engine/wire/stored-record.ts';
import { known } from './known-value.ts';

/** What has become of a payment, as far as one knows. Txids are as explorers print them. */
export type Fate =
  /** It is to be in a block, and is broadcast until it is. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'confirmed' }
  /** No server would have it: it was taken back, and its coins may be spent again. */
  | { readonly kind: 'refused'; readonly reason: RejectReason }
  /** A transaction in a block spends one of its coins: while that is there, it cannot confirm. */
  | { readonly kind: 'displaced'; readonly by: string }
  /** Another payment has taken its place: of the two only one can confirm. */
  | { readonly kind: 'replaced'; readonly by: string };

/** A payment out of the on-chain wallet. */
export interface OnchainSend {
  /** As explorers print it. */
  readonly txid: string;
  readonly rawTx: Uint8Array;
  /** One, or several with a comma and a space between them. */
  readonly address: string;
  /** What goes to others: 0 where it pays this wallet only. */
  readonly amountSat: bigint;
  readonly feeSat: bigint;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly fate: Fate;
  /** A server said once that it has it: it may be where nobody shows it to us, and no refusal takes it back. */
  readonly accepted?: boolean;
  /** Its owner's word for it. */
  readonly label?: string;
}

export const sentKey = (txid: string): string => `coin/sent/${txid}`;

const fields = {
  rawTx: [2, 'remaining'],
  address: [4, 'remaining'],
  amountSat: [6, 'u64'],
  feeSat: [8, 'u64'],
  at: [10, 'u64'],
  confirmed: [12, 'u8'],
} as const;
/** `refused` is a place in `REJECT_REASONS`. */
const added = {
  accepted: [13, 'u8'],
  refused: [15, 'u8'],
  displacedBy: [17, 'sha256'],
  label: [19, 'remaining'],
  replacedBy: [21, 'sha256'],
} as const;
/**
 * The first version is written as long as nothing was refused. A program that knows only that one would broadcast what was taken
 * back, and pay with its coins as if that could not confirm any more: it has to refuse.
 */
const sentRecord = recordFormat('on-chain payment', 1, fields, added);
const refusedRecord = recordFormat('on-chain payment', 2, fields, added);
/** In the order of their numbers in records. */
const REJECT_REASONS: readonly RejectReason[] = [
  'missingInputs',
  'conflict',
  'feeTooLow',
  'notFinal',
  'dust',
  'tooManyUnconfirmed',
  'invalid',
];

type StoredSend = ReturnType<typeof refusedRecord.decode>;
type StoredFate = Pick<StoredSend, 'confirmed' | 'refused' | 'displacedBy' | 'replacedBy'>;

export function encodeSend({ rawTx, address, amountSat, feeSat, at, fate, accepted, label }: OnchainSend): Uint8Array {
  const format = fate.kind === 'refused' ? refusedRecord : sentRecord;
  return format.encode({
    rawTx,
    address: fromUtf8(address),
    amountSat,
    feeSat,
    at: BigInt(at),
    ...storedFate(fate),
    ...(accepted === true ? { accepted: 1 } : {}),
    ...(label === undefined ? {} : { label: fromUtf8(label) }),
  });
}

export function decodeSend(txid: string, bytes: Uint8Array): OnchainSend {
  const stored = refusedRecord.decode(bytes);
  const { rawTx, amountSat, feeSat, accepted, label } = stored;
  return {
    txid,
    rawTx,
    address: toUtf8(stored.address),
    amountSat,
    feeSat,
    at: Number(stored.at),
    fate: fateOf(stored),
    ...(accepted === 1 ? { accepted: true } : {}),
    ...(label === undefined ? {} : { label: toUtf8(label) }),
  };
}

function storedFate(fate: Fate): StoredFate {
  switch (fate.kind) {
    case 'waiting':
      return { confirmed: 0 };
    case 'confirmed':
      return { confirmed: 1 };
    case 'refused':
      return { confirmed: 0, refused: REJECT_REASONS.indexOf(fate.reason) };
    case 'displaced':
      return { confirmed: 0, displacedBy: fromHex(fate.by) };
    case 'replaced':
      return { confirmed: 0, replacedBy: fromHex(fate.by) };
    default:
      return fate satisfies never;
  }
}

/** A record can have two: what a block has decided goes before what servers said. */
function fateOf({ confirmed, refused, displacedBy, replacedBy }: StoredFate): Fate {
  if (confirmed === 1) return { kind: 'confirmed' };
  if (replacedBy !== undefined) return { kind: 'replaced', by: toHex(replacedBy) };
  if (displacedBy !== undefined) return { kind: 'displaced', by: toHex(displacedBy) };
  if (refused !== undefined) return { kind: 'refused', reason: known(REJECT_REASONS[refused], 'reason') };
  return { kind: 'waiting' };
}
