import { describe, expect, it } from 'vitest';
import { ChannelSigner } from '../../../worker/engine/keys/channel-signer.ts';
import { KeysManager } from '../../../worker/engine/keys/keys-manager.ts';
import { mnemonicSeed } from '../../../worker/engine/keys/mnemonic.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import type { Witness } from '../../../worker/engine/transactions/witnesses.ts';
import { transactionWeight } from '../../../worker/engine/transactions/transaction.ts';
import { buildSweep, type SpendableOutput, type SweepSpending } from '../../../worker/engine/wallet/sweep.ts';

const keys = new KeysManager(secp, mnemonicSeed('abandon '.repeat(11) + 'about'), 'regtest');
const outpoint = (byte: number): { txid: Uint8Array; vout: number } => ({
  txid: new Uint8Array(32).fill(byte),
  vout: byte,
});
const outputs: readonly SpendableOutput[] = [
  {
    kind: 'delayed',
    outpoint: outpoint(1),
    amountSat: 50_000n,
    channelKeysIndex: 1,
    commitmentNumber: 3,
    toSelfDelay: 2016,
    revocationPubkey: keys.nodeId,
  },
  { kind: 'toRemote', outpoint: outpoint(2), amountSat: 40_000n, channelKeysIndex: 2, format: 'anchors' },
  { kind: 'toRemote', outpoint: outpoint(3), amountSat: 30_000n, channelKeysIndex: 3, format: 'static_remotekey' },
  { kind: 'toRemote', outpoint: outpoint(4), amountSat: 200n, channelKeysIndex: 4, format: 'anchors' },
];

function sign(output: SpendableOutput, spending: SweepSpending): Witness {
  const signer: ChannelSigner = keys.deriveChannelSigner(output.channelKeysIndex, 0n);
  return output.kind === 'delayed'
    ? signer.signToLocalSweep(spending, output)
    : signer.signToRemoteSweep(spending, output.format);
}

describe('a sweep', () => {
  it('moves every output that is worth it, with the delays that the scripts ask for', () => {
    const { tx, feeSat, swept } = buildSweep(outputs, keys.destinationScript(), 1000, sign);
    expect(swept).toEqual(outputs.slice(0, 3));
    expect(tx.inputs.map(({ sequence }) => sequence)).toEqual([2016, 1, 0xfffffffd]);
    expect(tx.inputs.map(({ witness }) => witness.length)).toEqual([3, 2, 2]);
    expect(tx).toMatchObject({ version: 2, locktime: 0 });
    expect(tx.outputs).toEqual([{ amountSat: 120_000n - feeSat, script: keys.destinationScript() }]);
  });

  it('reaches its feerate without waste', () => {
    const { tx, feeSat } = buildSweep(outputs, keys.destinationScript(), 1000, sign);
    expect(Number(feeSat)).toBeGreaterThanOrEqual(transactionWeight(tx));
    expect(Number(feeSat)).toBeLessThanOrEqual(transactionWeight(tx) + 6);
  });

  it('waits when the fee is more than there is', () => {
    expect(() => buildSweep(outputs, keys.destinationScript(), 500_000, sign)).toThrow(
      expect.objectContaining({ code: 'NothingToSweep' }),
    );
  });
});
