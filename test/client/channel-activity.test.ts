import { describe, expect, it } from 'vitest';
import { ChannelActivity, NO_NEWS } from '../../worker/client/channel-activity.ts';
import {
  channelRowKey,
  decodeChannelRow,
  encodeChannelRow,
  type NotedRow,
} from '../../worker/client/wallet-records.ts';
import { mnemonicSeed } from '../../worker/engine/keys/mnemonic.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { recordsBelow } from '../../worker/engine/primitives/store.ts';
import { Descriptors } from '../../worker/engine/wallet/descriptors.ts';
import { OnchainWallet } from '../../worker/engine/wallet/wallet.ts';

const NOW = 1_700_000_000_000;
const wallet = new OnchainWallet(secp, new Descriptors(mnemonicSeed('abandon '.repeat(11) + 'about'), 'regtest'));
/** As after every channel's records were put away. */
const manager = { channels: () => [], closing: () => undefined, blockHeight: 120 };

const row = (id: string, height: number | undefined): NotedRow => ({
  id,
  kind: 'channelClaimed',
  amountMsat: 5_000n,
  // A child that costs less than the anchor that it spends.
  feeMsat: -148_000n,
  description: '',
  height,
  at: NOW,
});

function opened(rows: readonly NotedRow[]): {
  records: Map<string, Uint8Array>;
  activity: ChannelActivity;
  log: string[];
} {
  const records = new Map(rows.map((each) => [channelRowKey(each.id), encodeChannelRow(each)]));
  const log: string[] = [];
  const activity = new ChannelActivity(
    recordsBelow(records, channelRowKey('')),
    { manager, wallet },
    {
      undo: () => undefined,
      record: (key, value) => void (value === undefined ? records.delete(key) : records.set(key, value)),
      log: (line) => void log.push(line),
    },
  );
  return { records, activity, log };
}

describe('what channels cost', () => {
  it('is read back as it was noted', () => {
    for (const each of [row('aa', 100), row('bb', undefined)])
      expect(decodeChannelRow(each.id, encodeChannelRow(each))).toEqual(each);
  });

  it('stays in the list without its channel once it is in a block, and not before', () => {
    const { activity, records } = opened([row('aa', 100), row('bb', undefined)]);
    expect(activity.list(NOW)).toEqual([row('aa', 100)]);
    activity.update(NO_NEWS, NOW);
    expect([...records.keys()]).toEqual([channelRowKey('aa')]);
  });

  it('goes with the block that it was in', () => {
    const { activity, records } = opened([row('aa', 100), row('bb', 99)]);
    activity.update({ confirmed: [], disconnectedTo: 99 }, NOW);
    expect([...records.keys()]).toEqual([channelRowKey('bb')]);
  });

  it('is in the log where its record is damaged, and costs nothing else', () => {
    const { records } = opened([row('aa', 100), row('bb', 99)]);
    records.set(channelRowKey('aa'), Uint8Array.of(1, 2, 3));
    const log: string[] = [];
    const rows = { undo: () => undefined, record: () => undefined, log: (line: string) => void log.push(line) };
    const activity = new ChannelActivity(recordsBelow(records, channelRowKey('')), { manager, wallet }, rows);
    expect(activity.list(NOW)).toEqual([row('bb', 99)]);
    expect(log).toEqual(['the record of what aa cost is damaged']);
  });
});
