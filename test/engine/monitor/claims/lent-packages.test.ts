import { expect, it } from 'vitest';
import { nextPackages, type ClaimPackage } from '../../../../worker/engine/monitor/claims/claim-package.ts';
import type { Claim } from '../../../../worker/engine/monitor/claims/claim.ts';
import { claimName } from '../../../../worker/engine/monitor/claims/claim-transaction.ts';
import { claimsOf } from '../../../../worker/engine/monitor/claims/claims.ts';
import { mnemonicSeed } from '../../../../worker/engine/keys/mnemonic.ts';
import { toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import {
  transactionId,
  transactionWeight,
  type Transaction,
} from '../../../../worker/engine/transactions/transaction.ts';
import { Descriptors } from '../../../../worker/engine/wallet/descriptors.ts';
import { sumOf } from '../../../../worker/engine/wallet/wallet-transaction.ts';
import { OnchainWallet } from '../../../../worker/engine/wallet/wallet.ts';
import { closedBy, htlcOf, KEYS, keysManager, preimageOf, signer } from './closed.ts';

const HEIGHT = 1_000;

/** HTLCs to us in our commitment, whose preimages are known and which expire together. */
function holderHtlcs(...amountsSat: readonly bigint[]): readonly Claim[] {
  const htlcs = amountsSat.map((sat, index) => htlcOf(index + 1, 'inbound', sat, HEIGHT + 200));
  const { monitor } = closedBy('holder', 'anchors', htlcs);
  const preimages = new Map(htlcs.map(({ id, paymentHash }) => [toHex(paymentHash), preimageOf(Number(id))]));
  return claimsOf(KEYS, { ...monitor, preimages }).filter(({ kind }) => kind === 'holderHtlc');
}

function walletWith(amountSat: bigint): OnchainWallet {
  const wallet = new OnchainWallet(secp, new Descriptors(mnemonicSeed('abandon '.repeat(11) + 'about'), 'regtest'));
  wallet.bestBlockUpdated(HEIGHT);
  receive(wallet, amountSat, 9);
  return wallet;
}

function receive(wallet: OnchainWallet, amountSat: bigint, name: number): void {
  const txid = new Uint8Array(32).fill(name);
  const input = { txid, vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] };
  const output = { amountSat, script: wallet.newScript('receive') };
  wallet.transactionConfirmed({ version: 2, inputs: [input], outputs: [output], locktime: 0 }, HEIGHT);
}

const feeOf = (wallet: OnchainWallet, claims: readonly Claim[], tx: Transaction): bigint =>
  sumOf(claims) + sumOf(wallet.coinsSpentBy(transactionId(tx))) - sumOf(tx.outputs);

it('what is lent and takes a claim back after a reorganisation spends its coin once', () => {
  const claims = holderHtlcs(2_000n, 50_000n);
  const [small] = claims.filter(({ amountSat }) => amountSat === 2_000n);
  const coins = walletWith(4_000n);
  const parts = { signer: signer.claims, coins, destinationScript: keysManager.destinationScript() };
  let packages: readonly ClaimPackage[] = [];
  const block = (found: readonly Claim[], feeratePerKw: number, height: number): void => {
    packages = nextPackages(parts, found, packages, { height, feeratePerKw });
  };
  block(claims, 500, HEIGHT);
  expect(packages.map(({ outpoints }) => outpoints.length)).toEqual([2]);
  // The counterparty's transaction took the other, the hour is dear, and then the block leaves the chain.
  block(small === undefined ? [] : [small], 3_000, HEIGHT + 1);
  expect(packages.map(({ tx }) => tx.inputs.length)).toEqual([2]);
  block(claims, 3_000, HEIGHT + 1);
  for (const { tx } of packages) expect(new Set(tx.inputs.map(claimName)).size).toBe(tx.inputs.length);
});

it('what is lent and made again with more coins pays what it says, and not its old fee beside that', () => {
  const claims = holderHtlcs(4_000n);
  const coins = walletWith(600n);
  const parts = { signer: signer.claims, coins, destinationScript: keysManager.destinationScript() };
  const conditions = { height: HEIGHT, feeratePerKw: 3_000 };
  const packages = nextPackages(parts, claims, [], conditions);
  expect(packages.map(({ tx }) => tx.inputs.length)).toEqual([2]);
  receive(coins, 50_000n, 8);
  const [next] = nextPackages(parts, claims, packages, { ...conditions, height: HEIGHT + 16 });
  const { tx, feeratePerKw } = next ?? { tx: undefined, feeratePerKw: 0 };
  expect(feeratePerKw).toBeGreaterThan(packages[0]?.feeratePerKw ?? 0);
  if (tx === undefined) return;
  const saidSat = Math.ceil(((transactionWeight(tx) + 10) * feeratePerKw) / 1_000);
  expect(Number(feeOf(coins, claims, tx))).toBeLessThanOrEqual(saidSat);
});

it('what is lent and whose coins were taken costs no more than half of what it brings', () => {
  const claims = holderHtlcs(2_000n);
  const coins = walletWith(4_000n);
  const parts = { signer: signer.claims, coins, destinationScript: keysManager.destinationScript() };
  const conditions = { height: HEIGHT, feeratePerKw: 3_000 };
  let packages = nextPackages(parts, claims, [], conditions);
  for (const name of [1, 2]) {
    // Another channel's claim takes them, and is in the chain.
    const output = { amountSat: 1_000n, script: new Uint8Array(34) };
    const input = { txid: new Uint8Array(32).fill(0x40 + name), vout: 0, sequence: 0 };
    const tx = {
      version: 2,
      inputs: [{ ...input, scriptSig: new Uint8Array(0), witness: [] }],
      outputs: [output],
      locktime: 0,
    };
    const other = coins.bump({ tx, prevouts: [output], witnessWeight: 0, feeratePerKw: 3_000, mostSat: 100_000n });
    coins.transactionConfirmed(other.tx, HEIGHT);
    for (const { vout } of coins.state.coins.filter(({ txid }) => txid.join() === other.txid.join()))
      coins.transactionConfirmed(
        { ...tx, inputs: [{ txid: other.txid, vout, sequence: 0, scriptSig: new Uint8Array(0), witness: [] }] },
        HEIGHT,
      );
    receive(coins, 4_000n, 0x60 + name);
    packages = nextPackages(parts, claims, packages, conditions);
  }
  const [{ tx } = { tx: undefined }] = packages;
  if (tx !== undefined) expect(feeOf(coins, claims, tx)).toBeLessThanOrEqual(1_050n);
});
