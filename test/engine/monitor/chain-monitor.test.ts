import { describe, expect, it } from 'vitest';
import { KeysManager } from '../../../worker/engine/keys/keys-manager.ts';
import { ChainMonitor, type ChannelMonitorUpdateStatus } from '../../../worker/engine/monitor/chain-monitor.ts';
import { Descriptors } from '../../../worker/engine/wallet/descriptors.ts';
import { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';
import { fakeSecp256k1 as secp } from '../../simulation/fake-secp256k1.ts';
import { obscureCommitmentNumber, obscuringFactor } from '../../../worker/engine/transactions/commitment-number.ts';
import type { Outpoint, Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { ours, PARAMS, theirs } from './samples.ts';

const KEY = 'channel';

/** A channel that is watched and has had one update, with a persister that answers as told. */
function watched(status: ChannelMonitorUpdateStatus) {
  const registered: Outpoint[] = [];
  const keys = new KeysManager(secp, new Uint8Array(64).fill(1), 'regtest');
  const monitor = new ChainMonitor(
    {
      persistNewChannel: () => status,
      updatePersistedChannel: () => status,
      archivePersistedChannel: () => undefined,
    },
    {
      registerTx: () => undefined,
      registerOutput: (outpoint) => void registered.push(outpoint),
      unregisterOutput: () => undefined,
    },
    {
      secp,
      signer: () => keys.deriveChannelSigner(PARAMS, PARAMS.fundingSat),
      coins: new OnchainWallet(secp, new Descriptors(new Uint8Array(64).fill(1), 'regtest')),
      destinationScript: () => keys.destinationScript(),
    },
    () => undefined,
  );
  const answers = [monitor.watchChannel(KEY, PARAMS, [ours(0), theirs(0)]), monitor.updateChannel(KEY, [theirs(1)])];
  return { monitor, answers, registered, started: monitor.takeStarted() };
}

describe('updates of a monitor', () => {
  it('are in progress until each of them is durable', () => {
    const { monitor, answers, started } = watched('InProgress');
    const [first, second] = started.map(({ updateId }) => updateId);
    expect(answers).toEqual(['InProgress', 'InProgress']);
    expect(monitor.isInProgress(KEY)).toBe(true);
    expect(monitor.channelMonitorUpdated(KEY, second ?? -1)).toBe(false);
    expect(monitor.isInProgress(KEY)).toBe(true);
    expect(monitor.channelMonitorUpdated(KEY, first ?? -1)).toBe(true);
    expect(monitor.isInProgress(KEY)).toBe(false);
  });

  it('hold nothing up that shares their commit, while others do', () => {
    const { monitor, started } = watched('InProgress');
    expect(monitor.isInProgress(KEY, started)).toBe(false);
    expect(monitor.isInProgress(KEY, started.slice(1))).toBe(true);
    expect(monitor.isInProgress(KEY, [{ channelKey: 'another', updateId: 0 }, ...started.slice(1)])).toBe(true);
  });

  it('are told once to the turn that started them', () => {
    const { monitor, started } = watched('InProgress');
    expect(started).toHaveLength(2);
    expect(monitor.takeStarted()).toEqual([]);
  });

  it('are never in progress where they are durable at once', () => {
    const { monitor, started } = watched('Completed');
    expect(started).toEqual([]);
    expect(monitor.isInProgress(KEY)).toBe(false);
  });
});

describe('a close in the chain', () => {
  const { fundingTxid: txid, fundingOutputIndex: vout, holder, counterparty } = PARAMS;
  /** A spend of the funding with two outputs, that bears a commitment's number or none. */
  const close = (number: number | undefined): Transaction => {
    const factor = obscuringFactor(holder.paymentBasepoint, counterparty.paymentBasepoint);
    const { locktime, sequence } =
      number === undefined ? { locktime: 0, sequence: 0xffff_fffd } : obscureCommitmentNumber(number, factor);
    const outputs = [1n, 2n].map((amountSat) => ({ amountSat, script: Uint8Array.of(0x51) }));
    return {
      version: 2,
      inputs: [{ txid, vout, sequence, scriptSig: new Uint8Array(0), witness: [] }],
      outputs,
      locktime,
    };
  };

  it('is looked for from the beginning, by the output that it spends', () => {
    expect(watched('Completed').registered).toEqual([{ txid, vout }]);
  });

  it.each([
    ['a commitment has every output watched', 9, 2],
    ['an agreed one leaves nothing to watch', undefined, 0],
  ])('as %s', (_name, number, count) => {
    const { monitor, registered } = watched('Completed');
    registered.length = 0;
    monitor.transactionsConfirmed(KEY, 500, [{ index: 1, transaction: close(number) }]);
    expect(registered).toHaveLength(count);
  });
});
