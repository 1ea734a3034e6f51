import { describe, expect, it } from 'vitest';
import { buildClosing, type ClosingInput } from '../../worker/engine/transactions/closing.ts';
import { encodeTransaction, withWitness } from '../../worker/engine/transactions/transaction.ts';
import { fundingWitness } from '../../worker/engine/transactions/witnesses.ts';
import { CASES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import type { Scene } from './scene.ts';
import { Thief } from './thief.ts';

const begin = scenes();

/** Both sides agree to close; with `lost` what they broadcast for it does not arrive. */
async function agree(scene: Scene, options: { readonly lost?: boolean } = {}): Promise<void> {
  if (options.lost === true) [scene.oursAreLost, scene.theirsAreLost] = [true, true];
  scene.us.node.turn(() => scene.us.node.manager.closeChannel(scene.us.channelKey));
  await scene.settle();
}

/** Before any fee. */
const dueSat = ({ us }: Scene): bigint => us.monitor.holderCommitment.spec.toHolderMsat / 1000n;

/** A closing transaction that both sides have signed. */
function closingOf({ us, them }: Scene, parts: Pick<ClosingInput, 'feeSat'> & Partial<ClosingInput>): Uint8Array {
  const { params, holderCommitment } = us.monitor;
  const input: ClosingInput = {
    fundingTxid: params.fundingTxid,
    fundingOutputIndex: params.fundingOutputIndex,
    fundingSat: params.fundingSat,
    holderIsOpener: true,
    holderFundingPubkey: params.holder.fundingPubkey,
    counterpartyFundingPubkey: params.counterparty.fundingPubkey,
    toHolderSat: holderCommitment.spec.toHolderMsat / 1000n,
    toCounterpartySat: holderCommitment.spec.toCounterpartyMsat / 1000n,
    holderScript: us.node.wallet.freshScript('change'),
    counterpartyScript: them.node.wallet.freshScript('change'),
    outputs: 'both',
    ...parts,
  };
  const closing = buildClosing(input);
  const [ours, theirs] = [us, them].map(({ keys, monitor }) =>
    keys.deriveChannelSigner(monitor.params, params.fundingSat).signClosing({
      ...input,
      holderFundingPubkey: monitor.params.holder.fundingPubkey,
      counterpartyFundingPubkey: monitor.params.counterparty.fundingPubkey,
    }),
  );
  if (ours === undefined || theirs === undefined) throw new Error('both sign');
  const witness = fundingWitness(
    { pubkey: params.holder.fundingPubkey, signature: ours },
    { pubkey: params.counterparty.fundingPubkey, signature: theirs },
  );
  return encodeTransaction(withWitness(closing.tx, 0, witness));
}

describe.each(CASES)('a close that both agreed to, with $name,', (each) => {
  it('gives our balance in the next block', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await agree(scene);
    await scene.mine(1);
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('cooperative');
    expect(ledger.gainedSat).toBe(dueSat(scene) - scene.feeSat(scene.close));
    expect(scene.refused).toEqual([]);
  });

  it('of which another version confirms gives what that one says', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await agree(scene, { lost: true });
    await scene.submit(closingOf(scene, { feeSat: 2_345n }));
    await scene.mine(1);
    [scene.oursAreLost, scene.theirsAreLost] = [false, false];
    await scene.mine(2);
    expect(scene.feeSat(scene.close)).toBe(2_345n);
    expect(ledger.gainedSat).toBe(dueSat(scene) - 2_345n);
    expect(scene.refused).toEqual([]);
  });

  it('in whose place their commitment confirms gives the same but for its fee', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await agree(scene, { lost: true });
    await scene.submit(new Thief(scene.them).commitment);
    await scene.mine(1);
    [scene.oursAreLost, scene.theirsAreLost] = [false, false];
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('counterpartyCommitment');
    await scene.mine(3);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(scene.close));
  });

  it('leaves out what is dust of theirs', async () => {
    const scene = await begin(each, { pushSat: 200n });
    const ledger = new Ledger(scene, scene.us);
    await agree(scene);
    await scene.mine(1);
    expect(scene.close.outputs).toHaveLength(1);
    expect(ledger.gainedSat).toBe(dueSat(scene) + 200n - scene.feeSat(scene.close));
  });

  it('that never confirms can be done alone', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await agree(scene, { lost: true });
    await scene.mine(3);
    scene.oursAreLost = false;
    const close = await scene.forceClose(scene.us, { thenTheirsAreLost: true });
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('holderCommitment');
    await scene.mine(21);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
  });

  it('that a reorganisation takes out is broadcast again', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await agree(scene);
    await scene.mine(2);
    await scene.reorg(2, true);
    expect(scene.us.monitor.confirmedSpend).toBeUndefined();
    await scene.mine(2);
    expect(ledger.gainedSat).toBe(dueSat(scene) - scene.feeSat(scene.close));
  });

  it('and that nobody knows of is a close all the same, whatever it pays', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    const holderScript = scene.them.keys.destinationScript();
    await scene.submit(closingOf(scene, { feeSat: 1_000n, holderScript }));
    await scene.mine(7);
    expect(scene.us.node.manager.channels().map(({ state, frozen }) => [state.kind, frozen])).toEqual([
      ['closed', undefined],
    ]);
    expect(ledger.gainedSat).toBe(0n);
    expect(scene.us.node.manager.sweepingSat()).toBe(0n);
    expect(scene.refused).toEqual([]);
  });
});
