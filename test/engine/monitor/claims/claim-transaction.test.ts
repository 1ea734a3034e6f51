import { describe, expect, it } from 'vitest';
import type { ChannelHtlc } from '../../../../worker/engine/transactions/channel-htlc.ts';
import { locktimeOf, sequenceOf, type Claim } from '../../../../worker/engine/monitor/claims/claim.ts';
import {
  buildClaim,
  claimWeight,
  isSameClaims,
  worthTaking,
  type ClaimParts,
} from '../../../../worker/engine/monitor/claims/claim-transaction.ts';
import { claimsOf } from '../../../../worker/engine/monitor/claims/claims.ts';
import { GlowwormError } from '../../../../worker/engine/primitives/errors.ts';
import { RELAYED_PER_KW } from '../../../../worker/engine/monitor/claims/claim-fees.ts';
import { toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { transactionWeight, type Transaction } from '../../../../worker/engine/transactions/transaction.ts';
import { walletTransaction, type BumpRequest } from '../../../../worker/engine/wallet/wallet-transaction.ts';
import { closedBy, htlcOf, KEYS, keysManager, preimageOf, signer, spending, type Closed } from './closed.ts';

const SCRIPT = keysManager.destinationScript();
const FORMATS = ['anchors', 'static_remotekey'] as const;

/** With a wallet that pays with no coin at all, and what it was asked for. */
function partsWith(feeSat: bigint | 'no coins', asked: BumpRequest[] = []): ClaimParts {
  return {
    signer: signer.claims,
    destinationScript: SCRIPT,
    coins: {
      bump: (request) => {
        asked.push(request);
        if (feeSat === 'no coins' || feeSat > request.mostSat)
          throw new GlowwormError('InsufficientFunds', 'there are none');
        return walletTransaction(request.tx, feeSat);
      },
      valueSat: () => 0n,
      coinsSpentBy: () => [],
      isConfirmed: () => false,
      transactionMade: () => {},
      transactionDropped: () => {},
      lend: () => {},
    },
  };
}

const claimsIn = ({ monitor }: Closed, kind?: Claim['kind']): readonly Claim[] =>
  claimsOf(KEYS, monitor).filter((claim) => kind === undefined || claim.kind === kind);

const sumSat = (claims: readonly Claim[]): bigint => claims.reduce((sum, { amountSat }) => sum + amountSat, 0n);

/** Of a coin for the fee and of the change, which the wallet of these tests leaves out. */
const COIN_WEIGHT = 272 + 124;

/** What an estimate is more than a witness with signatures of 71 bytes. */
const SPARE: Readonly<Record<Claim['kind'], number>> = {
  delayed: 4,
  toRemote: 1,
  holderHtlc: 4 + COIN_WEIGHT,
  counterpartyHtlc: 1,
  revokedToLocal: 5,
  revokedHtlc: 1,
};

describe.each(FORMATS)('a transaction of claims, with %s,', (format) => {
  it.each(['holder', 'counterparty', 'revoked'] as const)('has the weight that was estimated, of %s', (closer) => {
    const claims = claimsIn(closedBy(closer, format));
    expect(claims.length).toBeGreaterThan(2);
    for (const claim of claims) {
      const tx = buildClaim(partsWith(100n), [claim], 1_000, undefined)?.tx;
      expect([claim.kind, claimWeight([claim], SCRIPT) - (tx ? transactionWeight(tx) : 0)]).toEqual([
        claim.kind,
        SPARE[claim.kind],
      ]);
    }
  });

  it('spends with the lock times and delays that the scripts demand', () => {
    const relative = format === 'anchors' ? 1 : 0xffff_fffd;
    const ofHtlc = format === 'anchors' ? 1 : 0;
    const terms = (closer: 'holder' | 'counterparty' | 'revoked'): readonly unknown[] =>
      claimsIn(closedBy(closer, format)).map((claim) => {
        const tx = buildClaim(partsWith(100n), [claim], 1_000, undefined)?.tx;
        return [claim.kind, claim.amountSat < 100_000n ? claim.amountSat : 0n, tx?.locktime, tx?.inputs[0]?.sequence];
      });
    expect(terms('holder')).toEqual([
      ['delayed', 0n, 0, 144],
      ['holderHtlc', 40_000n, 0, ofHtlc],
      ['holderHtlc', 50_000n, 500, ofHtlc],
    ]);
    expect(terms('counterparty')).toEqual([
      ['toRemote', 0n, 0, relative],
      ['counterpartyHtlc', 40_000n, 0, relative],
      ['counterpartyHtlc', 50_000n, 500, relative],
    ]);
    expect(new Set(claimsIn(closedBy('revoked', format), 'revokedHtlc').map(sequenceIn))).toEqual(
      new Set([0xffff_fffd]),
    );
  });
});

it.each(FORMATS)('a claim has the lock time and the sequence of its transaction, with %s', (format) => {
  for (const closer of ['holder', 'counterparty', 'revoked'] as const)
    for (const claim of claimsIn(closedBy(closer, format))) {
      const tx = buildClaim(partsWith(0n), [claim], 1_000, undefined)?.tx;
      expect([locktimeOf(claim), sequenceOf(claim)]).toEqual([tx?.locktime, tx?.inputs[0]?.sequence]);
    }
});

const sequenceIn = (claim: Claim): number | undefined =>
  buildClaim(partsWith(0n), [claim], 1_000, undefined)?.tx.inputs[0]?.sequence;

describe('a transaction that pays for itself', () => {
  const claims = claimsIn(closedBy('counterparty'));

  it('takes all of its claims, less the fee', () => {
    const built = buildClaim(partsWith('no coins'), claims, 2_000, undefined);
    const feeSat = BigInt(claimWeight(claims, SCRIPT)) * 2n;
    expect(built?.feeratePerKw).toBe(2_000);
    expect(built?.tx.outputs).toEqual([{ amountSat: sumSat(claims) - feeSat, script: SCRIPT }]);
    expect(built?.tx.inputs.map(({ vout }) => vout)).toEqual(claims.map(({ outpoint }) => outpoint.vout));
    expect(built?.tx.inputs.every(({ witness }) => witness.length > 0)).toBe(true);
    expect(built?.tx.locktime).toBe(500);
  });

  it('is not made for less than an output has to be, nor of nothing', () => {
    const [claim] = claims;
    const weight = claimWeight(claims.slice(0, 1), SCRIPT);
    const worth = (amountSat: bigint): Transaction | undefined =>
      claim && buildClaim(partsWith('no coins'), [{ ...claim, amountSat }], 1_000, undefined)?.tx;
    // BOLT 3, Dust Limits: of a P2WPKH output.
    expect(worth(BigInt(weight) + 293n)).toBeUndefined();
    expect(worth(BigInt(weight) + 294n)?.outputs[0]?.amountSat).toBe(294n);
    expect(buildClaim(partsWith('no coins'), [], 1_000, undefined)).toBeUndefined();
  });
});

/** Two HTLCs to us of one lock time. */
const INBOUND: readonly ChannelHtlc[] = [htlcOf(2, 'inbound', 40_000n, 600), htlcOf(5, 'inbound', 41_000n, 600)];

describe('HTLC transactions', () => {
  const closed = closedBy('holder', 'anchors', INBOUND);
  const preimages = new Map(INBOUND.map(({ id, paymentHash }) => [toHex(paymentHash), preimageOf(Number(id))]));
  const claims = claimsIn({ ...closed, monitor: { ...closed.monitor, preimages } }, 'holderHtlc');

  it('with anchors are one, to which the wallet adds coins', () => {
    const asked: BumpRequest[] = [];
    const built = buildClaim(partsWith(40_500n, asked), claims, 1_000, undefined);
    expect(built?.tx.outputs.map(({ amountSat }) => amountSat)).toEqual([40_000n, 41_000n]);
    const [request] = asked;
    expect(request?.prevouts).toEqual(claims.map(({ amountSat, script }) => ({ amountSat, script })));
    // Whether there are witnesses, two bytes say; the estimate has two bytes to spare for each of the four signatures.
    expect(built && request && request.witnessWeight - weightAdded(request.tx, built.tx)).toBe(2 * 4 - 2);
    expect(request?.replaces).toBeUndefined();
  });

  it('cost no more than half of what they bring, or what is relayed just so, or are not made', () => {
    expect(buildClaim(partsWith(40_501n), claims, 1_000, undefined)).toBeUndefined();
    expect(buildClaim(partsWith(80_999n), claims, RELAYED_PER_KW, undefined)?.tx.outputs).toHaveLength(2);
    expect(buildClaim(partsWith(81_000n), claims, RELAYED_PER_KW, undefined)).toBeUndefined();
    expect(buildClaim(partsWith('no coins'), claims, 1_000, undefined)).toBeUndefined();
    const broken = { ...partsWith(0n), coins: { ...partsWith(0n).coins, bump: () => fail() } };
    expect(() => buildClaim(broken, claims, 1_000, undefined)).toThrow('a mistake');
  });

  it('take the place of another', () => {
    const vouts = claims.map(({ outpoint }) => outpoint.vout);
    const same = spending(closed.commitment.tx, vouts);
    const asked: BumpRequest[] = [];
    const replaces = { tx: same, feeSat: 100n };
    buildClaim(partsWith(100n, asked), claims, 1_000, replaces);
    expect(asked[0]?.replaces).toBe(replaces);
    expect(isSameClaims(same, claims)).toBe(true);
    expect(isSameClaims(spending(closed.commitment.tx, vouts.toReversed()), claims)).toBe(false);
    expect(isSameClaims(spending(closed.commitment.tx, vouts.slice(0, 1)), claims)).toBe(false);
    expect(isSameClaims(spending(same, vouts), claims)).toBe(false);
  });
});

const weightAdded = (before: Transaction, after: Transaction): number =>
  transactionWeight(after) - transactionWeight(before);
const fail = (): never => {
  throw new Error('a mistake');
};

describe('a claim is worth taking', () => {
  it('where it brings more than it adds to a transaction', () => {
    const [htlc, other] = claimsIn(closedBy('counterparty'), 'counterpartyHtlc');
    if (htlc === undefined || other === undefined) throw new Error('there are two HTLCs');
    const added = BigInt(claimWeight([htlc, other], SCRIPT) - claimWeight([other], SCRIPT));
    const worth = (amountSat: bigint): number => worthTaking([{ ...htlc, amountSat }], 1_000).length;
    expect([added, added + 1n].map(worth)).toEqual([0, 1]);
  });

  it('where an HTLC transaction of it brings more than it adds, with its output', () => {
    const [htlc, other] = claimsIn(closedBy('holder'), 'holderHtlc');
    if (htlc === undefined || other === undefined) throw new Error('there are two HTLCs');
    const added = BigInt(claimWeight([htlc, other], SCRIPT) - claimWeight([other], SCRIPT));
    const worth = (amountSat: bigint): number => worthTaking([{ ...htlc, amountSat }], 1_000).length;
    expect([added, added + 1n].map(worth)).toEqual([0, 1]);
    // Its fee is agreed upon, and is paid out of it whatever it brings.
    const [fixed] = claimsIn(closedBy('holder', 'static_remotekey'), 'holderHtlc');
    expect(worthTaking(fixed === undefined ? [] : [{ ...fixed, amountSat: 1n }], 1_000)).toHaveLength(1);
  });
});
