import { expect, it } from 'vitest';
import { retrieveSecret, shachainIndex } from '../../worker/engine/keys/shachain.ts';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { claimKeys } from '../../worker/engine/monitor/claims/claim-keys.ts';
import type { ChannelMonitor } from '../../worker/engine/monitor/channel-monitor.ts';
import { scenes } from './cases.ts';
import type { Party } from './party.ts';
import type { Scene } from './scene.ts';

const begin = scenes();

const monitors = ({ node }: Party): readonly ChannelMonitor[] =>
  node.manager.chainMonitor.monitors().map(([, monitor]) => monitor);

/** Another channel with the same peer. */
async function another(scene: Scene): Promise<ChannelMonitor> {
  const before = new Set(monitors(scene.us).map(({ params }) => toHex(params.channelId)));
  scene.us.node.open(scene.them.node, 500_000n, 200_000_000n);
  await scene.settle();
  await scene.mine(6);
  const [ours] = monitors(scene.us).filter(({ params }) => !before.has(toHex(params.channelId)));
  if (ours === undefined) throw new Error('the channel did not open');
  return ours;
}

it('a wallet that was put back uses no keys of a channel that it has forgotten', async () => {
  const scene = await begin({ format: 'anchors' });
  scene.book = undefined;
  const copy = new Map(scene.us.disk.durable);
  const lost = await another(scene);
  const lostKey = toHex(lost.params.channelId);
  // The first channel has no part in it: what is paid goes over the newer one too.
  for (let payment = 0; payment < 3; payment++) {
    scene.us.node.pay(scene.them.node.invoice(90_000_000n));
    await scene.settle();
    scene.us.node.pay(scene.them.node.invoice(90_000_000n));
    await scene.settle();
  }
  // Every secret that the peer has been given of it.
  const known = scene.them.node.manager.chainMonitor.monitor(lostKey)?.secrets ?? [];
  await scene.disconnect();
  scene.us.restartFrom(copy, 'copy');
  await scene.settle();
  scene.us.node.synced();
  await scene.connect();
  const fresh = await another(scene);
  expect(toHex(fresh.params.channelId)).not.toBe(lostKey);
  const signer = scene.us.keys.deriveChannelSigner(fresh.params, fresh.params.fundingSat);
  const keys = claimKeys(secp, signer);
  const stolen = Array.from({ length: 10 }, (_, number) => number).filter((number) => {
    const secret = retrieveSecret(known, shachainIndex(number));
    return secret !== undefined && toHex(secp.publicKey(secret)) === toHex(keys.perCommitmentPoint(number));
  });
  expect(fresh.params.channelKeysIndex).toBe(lost.params.channelKeysIndex);
  // With one of them the peer takes all that is ours in our commitment of that number.
  expect(stolen).toEqual([]);
});
