import { expect, it } from 'vitest';
import {
  isBroadcast,
  lendLiveCoins,
  nextPackages,
  returnDeadCoins,
  type ClaimPackage,
} from '../../../../worker/engine/monitor/claims/claim-package.ts';
import type { Claim } from '../../../../worker/engine/monitor/claims/claim.ts';
import type { ClaimParts } from '../../../../worker/engine/monitor/claims/claim-transaction.ts';
import { claimsOf } from '../../../../worker/engine/monitor/claims/claims.ts';
import { mnemonicSeed } from '../../../../worker/engine/keys/mnemonic.ts';
import { toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import { transactionId } from '../../../../worker/engine/transactions/transaction.ts';
import { Descriptors } from '../../../../worker/engine/wallet/descriptors.ts';
import { decodeWallet, encodeWallet } from '../../../../worker/engine/wallet/wallet-record.ts';
import { OnchainWallet } from '../../../../worker/engine/wallet/wallet.ts';
import { closedBy, htlcOf, KEYS, keysManager, preimageOf, signer } from './closed.ts';

const HEIGHT = 1_000;
const descriptors = new Descriptors(mnemonicSeed('abandon '.repeat(11) + 'about'), 'regtest');

/** An HTLC to us in our commitment, whose preimage is known. */
function holderHtlc(amountSat: bigint, expiry: number): readonly Claim[] {
  const htlc = htlcOf(1, 'inbound', amountSat, expiry);
  const { monitor } = closedBy('holder', 'anchors', [htlc]);
  const preimages = new Map([[toHex(htlc.paymentHash), preimageOf(1)]]);
  return claimsOf(KEYS, { ...monitor, preimages }).filter(({ kind }) => kind === 'holderHtlc');
}

/** Channels with a claim each and the wallet that pays for them, as `OnchainTxHandler` takes them with each block. */
class Channels {
  wallet = new OnchainWallet(secp, descriptors);
  readonly #channels: { claims: readonly Claim[]; packages: readonly ClaimPackage[] }[];

  constructor(coinsSat: readonly bigint[], claims: readonly (readonly Claim[])[]) {
    this.#channels = claims.map((each) => ({ claims: each, packages: [] }));
    this.wallet.bestBlockUpdated(HEIGHT);
    for (const [name, amountSat] of coinsSat.entries()) {
      const txid = new Uint8Array(32).fill(0xaa).with(0, name);
      const input = { txid, vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] };
      const output = { amountSat, script: this.wallet.newScript('receive') };
      this.wallet.transactionConfirmed({ version: 2, inputs: [input], outputs: [output], locktime: 0 }, HEIGHT);
    }
  }

  get #parts(): ClaimParts {
    return { signer: signer.claims, coins: this.wallet, destinationScript: keysManager.destinationScript() };
  }

  /** The counterparty takes what a channel claims. */
  taken(channel: number): void {
    const found = this.#channels[channel];
    if (found) found.claims = [];
  }

  restart(): void {
    this.wallet = new OnchainWallet(secp, descriptors, decodeWallet(encodeWallet(this.wallet.state)));
  }

  /** What is broadcast of each channel, in the order that they are given in. */
  block(height: number, feeratePerKw: number, order: readonly number[]): readonly (string | undefined)[] {
    const conditions = { height, feeratePerKw };
    const channels = order.flatMap((index) => this.#channels[index] ?? []);
    for (const { claims, packages } of channels) returnDeadCoins(this.#parts, claims, packages);
    for (const { claims, packages } of channels) lendLiveCoins(this.#parts, claims, packages, conditions);
    for (const each of channels) each.packages = nextPackages(this.#parts, each.claims, each.packages, conditions);
    const live = ({ claims, packages }: (typeof channels)[number]): readonly ClaimPackage[] =>
      packages.filter((each) => isBroadcast(this.#parts, each, claims, height));
    return this.#channels.map((each) => {
      const [found] = live(each);
      return found && toHex(transactionId(found.tx));
    });
  }

  amountsOf(channel: number): readonly bigint[] {
    return this.#channels[channel]?.packages[0]?.tx.outputs.map(({ amountSat }) => amountSat) ?? [];
  }

  /** Coins that two of what is broadcast take. */
  takenTwice(height: number): readonly string[] {
    const names = this.#channels.flatMap(({ claims, packages }) =>
      packages
        .filter((each) => isBroadcast(this.#parts, each, claims, height))
        .flatMap(({ tx }) => tx.inputs.map(({ txid, vout }) => `${toHex(txid)}:${vout}`)),
    );
    return names.filter((name, index) => names.indexOf(name) !== index && !claimed.has(name));
  }
}

/** The claims of these channels are at one place: they are no coins. */
const claimed = new Set(
  [holderHtlc(1_000n, HEIGHT)].flat().map(({ outpoint }) => `${toHex(outpoint.txid)}:${outpoint.vout}`),
);

it('what is urgent finds in its first block what is lent to a channel that comes after it, also after a restart', () => {
  const channels = new Channels([3_300n], [holderHtlc(3_500n, HEIGHT + 300), holderHtlc(200_000n, HEIGHT + 20)]);
  expect(channels.block(HEIGHT, 2_000, [0])).toEqual([expect.any(String), undefined]);
  channels.restart();
  expect(channels.block(HEIGHT + 1, 2_000, [1, 0])).toEqual([undefined, expect.any(String)]);
});

it('a coin that comes back pays for what it was taken from, before any other', () => {
  const claims = [holderHtlc(6_500n, HEIGHT + 30), holderHtlc(60_000n, HEIGHT + 20), holderHtlc(7_000n, HEIGHT + 200)];
  const channels = new Channels([13_596n], claims);
  const [small] = channels.block(HEIGHT, 3_000, [0]);
  expect(small).toEqual(expect.any(String));
  expect(channels.block(HEIGHT, 3_000, [1, 0])).toEqual([undefined, expect.any(String), undefined]);
  channels.taken(1);
  expect(channels.block(HEIGHT + 1, 3_000, [2, 0, 1])).toEqual([small, undefined, undefined]);
  expect(channels.takenTwice(HEIGHT + 1)).toEqual([]);
});

it('what the counterparty has taken lends its coin to nothing: it is free', () => {
  const claims = [holderHtlc(6_500n, HEIGHT + 200), holderHtlc(60_000n, HEIGHT + 60)];
  const channels = new Channels([13_596n], claims);
  expect(channels.block(HEIGHT, 6_000, [0])).toEqual([expect.any(String), undefined]);
  channels.taken(0);
  const free = new Channels([13_596n], claims);
  free.taken(0);
  for (const each of [channels, free]) expect(each.block(HEIGHT + 1, 6_000, [1, 0])[1]).toEqual(expect.any(String));
  // As where the other was never there: it pays for nobody's place.
  expect(channels.amountsOf(1)).toEqual(free.amountsOf(1));
});
