import { describe, expect, it } from 'vitest';
import { equalBytes, toHex } from '../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { Descriptors, type ScriptOrigin } from '../../worker/engine/wallet/descriptors.ts';
import { OnchainWallet } from '../../worker/engine/wallet/wallet.ts';
import { scenes } from './cases.ts';
import type { Party } from './party.ts';
import type { Scene } from './scene.ts';

const begin = scenes();

/** The scripts that a party's channels were opened with. */
const scriptsOf = ({ node }: Party): readonly Uint8Array[] =>
  node.manager.chainMonitor.monitors().map(([, { params }]) => params.holder.upfrontShutdownScript);

/** Where a script is of, for a wallet that knows nothing but the party's words. */
function originAfterRestore({ seed }: Party, script: Uint8Array): ScriptOrigin | undefined {
  const descriptors = new Descriptors(seed, 'regtest');
  new OnchainWallet(secp, descriptors).scripts.watched();
  return descriptors.originOf(script);
}

/** What of a wallet's coins is at a script. */
const arrivedSat = ({ node, seed }: Party, script: Uint8Array): bigint => {
  const origin = originAfterRestore({ seed } as Party, script);
  const coins = node.wallet.state.coins.filter(
    ({ branch, index }) => branch === origin?.branch && index === origin.index,
  );
  return coins.reduce((sum, { amountSat }) => sum + amountSat, 0n);
};

async function agree(scene: Scene): Promise<void> {
  const { us } = scene;
  us.node.turn(() => us.node.manager.closeChannel(us.channelKey));
  await scene.settle();
  await scene.mine(2);
}

describe('what a channel leaves', () => {
  it('goes to an address of the channel’s own, which a restore finds', async () => {
    const scene = await begin({ format: 'anchors' });
    scene.us.node.open(scene.them.node, 200_000n, 50_000_000n);
    await scene.settle();
    for (const party of scene.parties) {
      const origins = scriptsOf(party).map((script) => originAfterRestore(party, script));
      expect(origins).toEqual([
        { branch: 'change', index: 0 },
        { branch: 'change', index: party === scene.us ? 2 : 1 },
      ]);
    }
  });

  it.each(['us', 'them'] as const)(
    'goes there whole, however often it is made anew, where %s closed alone',
    async (closer) => {
      const scene = await begin({ format: 'anchors', restarts: true });
      const { us } = scene;
      const [script = new Uint8Array(0)] = scriptsOf(us);
      await scene.offer({ inboundSat: [50_000n] });
      await scene.forceClose(scene[closer]);
      const made = new Set<string>();
      for (let block = 0; block < 30; block++) {
        await scene.mine(1);
        for (const { tx } of us.monitor.packages) for (const output of tx.outputs) made.add(toHex(output.script));
      }
      expect(made.has(toHex(script))).toBe(true);
      expect(arrivedSat(us, script)).toBeGreaterThan(500_000n);
      expect(us.node.wallet.state.cursors.change.next).toBeLessThan(8);
      expect(arrivedSat(us, us.keys.destinationScript())).toBe(2_000_000n);
    },
  );

  it.each(['anchors', 'static_remotekey'] as const)(
    'goes to a fresh one by a close together, with %s',
    async (format) => {
      const scene = await begin({ format });
      const fresh = scene.parties.map(({ node }) => node.wallet.freshScript('change'));
      const promised = scene.parties.map((party) => scriptsOf(party)[0] ?? new Uint8Array(0));
      const expected = format === 'anchors' ? promised : fresh;
      await agree(scene);
      expect(scene.close.outputs.map(({ script }) => toHex(script)).toSorted()).toEqual(expected.map(toHex).toSorted());
      for (const [at, { node }] of scene.parties.entries()) {
        const [script = new Uint8Array(0)] = expected.slice(at);
        expect(equalBytes(node.wallet.freshScript('change'), script)).toBe(false);
      }
    },
  );
});
