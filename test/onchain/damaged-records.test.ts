import { describe, expect, it } from 'vitest';
import type { ChannelMonitor } from '../../worker/engine/monitor/channel-monitor.ts';
import { MonitorPersister } from '../../worker/engine/monitor/monitor-persister.ts';
import { encodeMonitor } from '../../worker/engine/monitor/monitor-records.ts';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import { told } from './party.ts';
import type { Scene } from './scene.ts';

const begin = scenes();

const DAMAGES: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array | undefined>> = {
  lost: () => undefined,
  torn: (bytes) => bytes.slice(0, bytes.length - 3),
  flipped: (bytes) => bytes.map((byte, place) => (place === 4 ? byte ^ 0x40 : byte)),
};

/** What a restart would read. */
function stored({ us }: Scene): ChannelMonitor | undefined {
  const { params } = us.monitor;
  const persister = new MonitorPersister(
    () => new Map(),
    () => undefined,
  );
  return persister.load('k', params, us.disk.durable);
}

const recordOf = (monitor: ChannelMonitor | undefined): string | undefined =>
  monitor && toHex(encodeMonitor({ ...monitor, updateId: 0 }));

/** As a chain source does after a start: it knows nothing of what it has told before. */
function tellAgain({ chain, us }: Scene, from: number): void {
  for (let height = from; height <= chain.height; height++) {
    const block = chain.index.blockAt(height);
    if (block !== undefined) us.hear((node) => node.confirm(height, told(block).transactions));
  }
}

describe.each(Object.entries(DAMAGES))('an update of what the chain did that is %s', (_name, damaged) => {
  it.each([0, 1, 2, 3])('costs nothing of a close, also where %i came after it', async (later) => {
    const scene = await begin({ format: 'anchors' });
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    const ledger = new Ledger(scene, scene.us);
    await scene.forceClose(scene.us);
    await scene.mine(2);
    const { disk, monitor } = scene.us;
    const key = `mon/0/upd/${monitor.updateId - later}`;
    disk.apply(new Map([[key, damaged(disk.durable.get(key) ?? new Uint8Array(0))]]));
    scene.book = undefined;
    scene.us.restart();
    tellAgain(scene, scene.chain.height - 2);
    for (let block = 0; block < 60; block++) {
      await scene.mine(1);
      expect(recordOf(stored(scene))).toBe(recordOf(scene.us.monitor));
    }
    expect(ledger.gainedSat).toBeGreaterThan(570_000n);
  });
});

it.each(Object.entries(DAMAGES))(
  'a preimage whose update alone is %s is claimed with all the same',
  async (_, damaged) => {
    const scene = await begin({ format: 'anchors' });
    scene.them.mayCloseAtDeadlines = false;
    await scene.offerHeld(scene.them, 200_000n);
    // They owe a revocation: nothing can be signed after what is released.
    scene.withholder = scene.them;
    scene.withheld = ['revoke_and_ack'];
    scene.us.node.pay(scene.them.node.invoice(10_000_000n));
    await scene.settle();
    const before = scene.us.monitor.updateId;
    scene.us.release();
    await scene.settle();
    await scene.disconnect();
    const { disk, monitor } = scene.us;
    expect([monitor.updateId, monitor.preimages.size]).toEqual([before + 1, 1]);
    const key = `mon/0/upd/${monitor.updateId}`;
    disk.apply(new Map([[key, damaged(disk.durable.get(key) ?? new Uint8Array(0))]]));
    scene.us.restart();
    scene.us.node.synced();
    await scene.settle();
    const inbound = scene.us.monitor.holderCommitment.spec.htlcs.find(({ direction }) => direction === 'inbound');
    await scene.mine((inbound?.cltvExpiry ?? 0) - 20 - scene.chain.height);
    const taken = scene.spendsOf(scene.close).map((spend, vout) => spend && scene.close.outputs[vout]?.amountSat);
    expect(taken).toContain(200_000n);
  },
);

it.each([
  ['lost', undefined],
  ['damaged', new Uint8Array(10)],
])("parameters of a channel that are %s cost nothing of a close: its monitor's are there", async (_name, record) => {
  const scene = await begin({ format: 'anchors' });
  const ledger = new Ledger(scene, scene.us);
  await scene.forceClose(scene.us);
  await scene.mine(2);
  scene.us.disk.apply(new Map([['chan/0/params', record]]));
  scene.us.restart();
  await scene.mine(30);
  expect(ledger.gainedSat).toBeGreaterThan(590_000n);
});
