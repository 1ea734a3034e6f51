import { onTestFinished, expect, it } from 'vitest';
import { mnemonicSeed } from '../../worker/engine/keys/mnemonic.ts';
import { reversed, toHex } from '../../worker/engine/primitives/bytes.ts';
import { transactionId } from '../../worker/engine/transactions/transaction.ts';
import { FakeNode, MNEMONIC } from '../client/fake-node.ts';
import { MemoryDisk } from '../simulation/memory-store.ts';
import { scenes } from './cases.ts';
import { servedBy } from './served.ts';
import { Thief } from './thief.ts';

const begin = scenes();

it('a whole wallet reads what a revoked commitment said, and takes its HTLCs', async () => {
  const scene = await begin({ format: 'anchors' }, { seed: mnemonicSeed(MNEMONIC) });
  await scene.offer({ outboundSat: [50_000n, 40_000n] });
  const thief = new Thief(scene.them);
  await scene.reconnect();
  await scene.pay(20_000n);
  await scene.disconnect();
  scene.oursAreLost = true;
  const disk = new MemoryDisk();
  disk.apply(new Map(scene.us.disk.durable));
  const wallet = new FakeNode([], disk, servedBy(scene.chain, scene.served));
  onTestFinished(() => wallet.stop());
  await wallet.pass(60);
  const revoked = await scene.submit(thief.commitment);
  await scene.mine(1);
  await wallet.pass(60);
  const txid = toHex(reversed(transactionId(revoked)));
  const taken = revoked.outputs.filter((_, vout) => scene.chain.spend(txid, vout) !== undefined);
  const all = revoked.outputs.filter(({ amountSat }) => amountSat !== 330n);
  expect(all.filter(({ amountSat }) => amountSat === 50_000n || amountSat === 40_000n)).toHaveLength(2);
  expect(taken).toEqual(all);
});
