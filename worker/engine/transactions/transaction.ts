import { GlowwormError } from '../primitives/errors.ts';
import { concat } from '../primitives/bytes.ts';
import { sha256d } from '../primitives/hash.ts';
import { MAX_SAT } from '../primitives/units.ts';
import { ByteCursor, compactSize, u32le, u64le } from './byte-cursor.ts';
import { CountedWriter, compactSizeLength, sizedLength } from './counted-writer.ts';

/** An output by its transaction; `txid` is 32 bytes in wire order (explorers print them reversed). */
export interface Outpoint {
  readonly txid: Uint8Array;
  readonly vout: number;
}

export interface TransactionInput extends Outpoint {
  readonly sequence: number;
  readonly scriptSig: Uint8Array;
  readonly witness: readonly Uint8Array[];
}

export interface TransactionOutput {
  readonly amountSat: bigint;
  readonly script: Uint8Array;
}

export interface Transaction {
  /** As an unsigned 32-bit number. */
  readonly version: number;
  readonly inputs: readonly TransactionInput[];
  readonly outputs: readonly TransactionOutput[];
  readonly locktime: number;
}

/** Four million weight units are a whole block: no transaction has more bytes. */
const MAX_BYTES = 4_000_000;

/** The network encoding: with the witnesses of BIP 144 where there are any, the old one where there are none. */
export function encodeTransaction(tx: Transaction): Uint8Array {
  if (!hasWitness(tx)) return encodeStripped(tx);
  const writer = new CountedWriter(strippedLength(tx) + witnessLength(tx));
  writer.u32(tx.version);
  writer.u8(0);
  writer.u8(1);
  writeBody(writer, tx);
  for (const { witness } of tx.inputs) {
    writer.compactSize(witness.length);
    for (const element of witness) writer.sized(element);
  }
  writer.u32(tx.locktime);
  return writer.end();
}

/**
 * The transaction of its network encoding. Throws `MalformedTransaction` for anything but exactly one well-formed
 * transaction with at least one input: these bytes come from peers and from servers.
 */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  if (bytes.length > MAX_BYTES) throw new GlowwormError('MalformedTransaction', 'more bytes than a block holds');
  const cursor = new ByteCursor(bytes);
  const version = cursor.u32();
  const segwit = cursor.peek() === 0 && cursor.peek(1) === 1;
  if (segwit) cursor.take(2);
  const inputs = Array.from({ length: cursor.count(41) }, () => decodeInput(cursor));
  if (inputs.length === 0) throw new GlowwormError('MalformedTransaction', 'a transaction without inputs');
  const outputs = Array.from({ length: cursor.count(9) }, () => decodeOutput(cursor));
  const witnesses = segwit ? inputs.map(() => decodeWitness(cursor)) : [];
  // BIP 144: the extended form is not allowed when there is nothing to extend.
  if (segwit && witnesses.every((witness) => witness.length === 0))
    throw new GlowwormError('MalformedTransaction', 'a witness flag without a witness');
  const locktime = cursor.u32();
  if (cursor.remaining > 0) throw new GlowwormError('MalformedTransaction', 'bytes after the transaction');
  return {
    version,
    inputs: inputs.map((input, index) => ({ ...input, witness: witnesses[index] ?? [] })),
    outputs,
    locktime,
  };
}

/** The 32-byte txid in wire order; the witness does not count. */
export const transactionId = (tx: Transaction): Uint8Array => sha256d(encodeStripped(tx));

/** Weight units of BIP 141: four per byte, one per byte of witness. */
export const transactionWeight = (tx: Transaction): number =>
  strippedLength(tx) * 4 + (hasWitness(tx) ? witnessLength(tx) : 0);

/** An output as it is hashed and sent: amount and script with its length. */
export const encodeOutput = ({ amountSat, script }: TransactionOutput): Uint8Array =>
  concat(u64le(amountSat), sized(script));

/** An outpoint as it is hashed and sent: 36 bytes. */
export const encodeOutpoint = ({ txid, vout }: Outpoint): Uint8Array => concat(txid, u32le(vout));

/** Bytes preceded by their compact size. */
export const sized = (bytes: Uint8Array): Uint8Array => concat(compactSize(bytes.length), bytes);

/** The transaction with the witness of one input replaced. */
export function withWitness(tx: Transaction, inputIndex: number, witness: readonly Uint8Array[]): Transaction {
  return { ...tx, inputs: tx.inputs.map((input, index) => (index === inputIndex ? { ...input, witness } : input)) };
}

const hasWitness = (tx: Transaction): boolean => tx.inputs.some(({ witness }) => witness.length > 0);

function encodeStripped(tx: Transaction): Uint8Array {
  const writer = new CountedWriter(strippedLength(tx));
  writer.u32(tx.version);
  writeBody(writer, tx);
  writer.u32(tx.locktime);
  return writer.end();
}

function writeBody(writer: CountedWriter, { inputs, outputs }: Transaction): void {
  writer.compactSize(inputs.length);
  for (const { txid, vout, scriptSig, sequence } of inputs) {
    writer.raw(txid);
    writer.u32(vout);
    writer.sized(scriptSig);
    writer.u32(sequence);
  }
  writer.compactSize(outputs.length);
  for (const { amountSat, script } of outputs) {
    writer.u64(amountSat);
    writer.sized(script);
  }
}

/** Version and locktime, and an outpoint and a sequence for each input, an amount for each output. */
function strippedLength({ inputs, outputs }: Transaction): number {
  let length = 8 + compactSizeLength(inputs.length) + compactSizeLength(outputs.length);
  for (const { txid, scriptSig } of inputs) length += txid.length + 8 + sizedLength(scriptSig);
  for (const { script } of outputs) length += 8 + sizedLength(script);
  return length;
}

/** With the marker and the flag that announce witnesses. */
function witnessLength({ inputs }: Transaction): number {
  let length = 2;
  for (const { witness } of inputs) {
    length += compactSizeLength(witness.length);
    for (const element of witness) length += sizedLength(element);
  }
  return length;
}

function decodeInput(cursor: ByteCursor): Omit<TransactionInput, 'witness'> {
  return { txid: cursor.take(32), vout: cursor.u32(), scriptSig: cursor.sized(), sequence: cursor.u32() };
}

function decodeOutput(cursor: ByteCursor): TransactionOutput {
  const amountSat = cursor.u64();
  if (amountSat > MAX_SAT) throw new GlowwormError('MalformedTransaction', 'more than all bitcoin in an output');
  return { amountSat, script: cursor.sized() };
}

const decodeWitness = (cursor: ByteCursor): Uint8Array[] =>
  Array.from({ length: cursor.count(1) }, () => cursor.sized());
