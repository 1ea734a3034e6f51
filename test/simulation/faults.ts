import { CommitReceipt } from '../../worker/engine/primitives/commit-receipt.ts';
import type { StoredRecords, StoreWrites } from '../../worker/engine/primitives/store.ts';
import type { Transaction } from '../../worker/engine/transactions/transaction.ts';
import type { Message } from '../../worker/engine/wire/message.ts';
import type { MemoryDisk, MemoryStore } from './memory-store.ts';
import type { BuildFunding } from './node.ts';
import type { Side } from './side.ts';
import type { SideName } from './world-start.ts';

/** A bug planted around an engine, which a simulation has to notice. */
export interface Fault {
  readonly name: string;
  /** The side that may do whatever it likes: nothing is expected of it, everything of the others. */
  readonly wrongSide?: SideName;
  /** Takes a commit instead of the store. */
  readonly commit?: (store: MemoryStore, writes: StoreWrites) => Promise<CommitReceipt>;
  /** Changes what reaches the disk. */
  readonly writing?: (writes: StoreWrites) => StoreWrites;
  /** Changes what leaves instead of a message. */
  readonly leaving?: (message: Message, from: Side, to: Side) => readonly Message[];
  /** Whether a transaction reaches the network. */
  readonly broadcasting?: (transaction: Transaction) => boolean;
  /** Changes how the wrong side funds its channels. */
  readonly buildFunding?: (build: BuildFunding) => BuildFunding;
  /** Changes the disk before a restart. */
  readonly restarting?: (disk: MemoryDisk) => void;
}

/** Makes each fault anew: some remember what they have seen. */
export const FAULTS: Readonly<Record<string, () => Omit<Fault, 'name'>>> = {
  'effects leave before the commit': () => ({
    commit: (store, writes) => {
      store.commit(writes).catch(() => undefined);
      return CommitReceipt.after(Promise.resolve(), writes);
    },
  }),
  'the store loses a monitor update': () => every(5, (writes) => without(writes, 'mon/')),
  'the store loses a payment row': () => every(5, (writes) => without(writes, 'pay/')),
  'the store loses an invoice': () => every(5, (writes) => without(writes, 'inv/')),
  'the store loses a channel record': () => every(5, (writes) => without(writes, 'chan/')),
  'the store loses what was revoked': () => ({ writing: (writes) => withoutAny(writes, '/old/') }),
  'the store loses a whole commit': () => every(9, () => new Map()),
  'a payment row is forgotten in a restart': () => ({
    restarting: (disk) => forget(disk, (key) => key.startsWith('pay/')),
  }),
  'a restart finds an older disk': () => {
    let old: StoredRecords | undefined;
    return {
      restarting: (disk) => {
        const found = disk.durable;
        if (old === undefined) old = found;
        else putBack(disk, old);
      },
    };
  },
  'revoke_and_ack is not repeated': () => notRepeated('revoke_and_ack'),
  'commitment_signed is not repeated': () => notRepeated('commitment_signed'),
  'update_add_htlc is not repeated': () => notRepeated('update_add_htlc'),
  'update_fulfill_htlc is not repeated': () => notRepeated('update_fulfill_htlc'),
  'commitment_signed is sent twice': () => ({
    leaving: (message) => (message.kind === 'commitment_signed' ? [message, message] : [message]),
  }),
  'an amount is off by one': () => ({
    leaving: (message) =>
      message.kind === 'update_add_htlc' ? [{ ...message, amountMsat: message.amountMsat + 1n }] : [message],
  }),
  'an older secret is given away again': () => {
    let first: Uint8Array | undefined;
    return {
      leaving: (message) => {
        if (message.kind !== 'revoke_and_ack') return [message];
        first ??= message.perCommitmentSecret;
        return [{ ...message, perCommitmentSecret: first }];
      },
    };
  },
  'a failure is a fulfilment to nobody': () => ({
    leaving: (message) =>
      message.kind === 'update_fulfill_htlc'
        ? [
            {
              kind: 'update_fail_htlc',
              channelId: message.channelId,
              id: message.id,
              reason: new Uint8Array(292),
              tlvs: {},
            },
          ]
        : [message],
  }),
  'two messages change places': () => {
    let held: Message | undefined;
    return {
      leaving: (message) => {
        if (held !== undefined) {
          const both = [message, held];
          held = undefined;
          return both;
        }
        if (message.kind !== 'update_add_htlc') return [message];
        held = message;
        return [];
      },
    };
  },
  'what a close leaves is never swept': () => ({
    broadcasting: ({ inputs }) => inputs.every(({ sequence }) => sequence >= RELATIVE_DELAY),
  }),
  'an update follows stfu': () => ({
    leaving: (message) =>
      message.kind === 'stfu'
        ? [message, { kind: 'update_fee', channelId: message.channelId, feeratePerKw: 1000, tlvs: {} }]
        : [message],
  }),
  'a peer is warned for nothing': () => ({
    leaving: (message) =>
      message.kind === 'update_fee'
        ? [message, { kind: 'warning', channelId: message.channelId, data: new Uint8Array(1), tlvs: {} }]
        : [message],
  }),
};

/** BIP 68: a sequence below asks for a delay, as every sweep of a commitment with anchors does. */
const RELATIVE_DELAY = 0x8000_0000;

function notRepeated(kind: Message['kind']): Omit<Fault, 'name'> {
  const sent = new Set<string>();
  const name = (side: Side, message: Message): string =>
    side.name + JSON.stringify(message, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  return {
    leaving: (message, side) => {
      if (message.kind !== kind) return [message];
      if (sent.has(name(side, message))) return [];
      sent.add(name(side, message));
      return [message];
    },
  };
}

function every(count: number, change: (writes: StoreWrites) => StoreWrites): Omit<Fault, 'name'> {
  let seen = -2;
  return { writing: (writes) => (++seen % count === count - 1 ? change(writes) : writes) };
}

const without = (writes: StoreWrites, prefix: string): StoreWrites =>
  new Map([...writes].filter(([key]) => !key.startsWith(prefix)));

const withoutAny = (writes: StoreWrites, part: string): StoreWrites =>
  new Map([...writes].filter(([key]) => !key.includes(part)));

/** Makes a disk what it was. */
export function putBack(disk: MemoryDisk, records: StoredRecords): void {
  forget(disk, (key) => !records.has(key));
  disk.apply(new Map(records));
}

function forget(disk: MemoryDisk, which: (key: string) => boolean): void {
  disk.apply(new Map([...disk.durable.keys()].filter(which).map((key) => [key, undefined])));
}
