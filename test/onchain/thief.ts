import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import type { ChannelSigner } from '../../worker/engine/keys/channel-signer.ts';
import type { ChannelMonitor } from '../../worker/engine/monitor/channel-monitor.ts';
import { claimKeys } from '../../worker/engine/monitor/claims/claim-keys.ts';
import { claimsOf } from '../../worker/engine/monitor/claims/claims.ts';
import { buildClaim } from '../../worker/engine/monitor/claims/claim-transaction.ts';
import { signedHolderCommitment } from '../../worker/engine/monitor/holder-commitment.ts';
import { decodeTransaction, encodeTransaction, transactionId } from '../../worker/engine/transactions/transaction.ts';
import type { Party } from './party.ts';

/** Broadcasts what a party could have broadcast by a monitor that it once had, whatever it has revoked since. */
export class Thief {
  readonly #party: Party;
  readonly #monitor: ChannelMonitor;

  constructor(party: Party, monitor: ChannelMonitor = party.monitor) {
    this.#party = party;
    party.keepsBooks = false;
    this.#monitor = monitor;
  }

  /** Its commitment of that time. */
  get commitment(): Uint8Array {
    return signedHolderCommitment(secp, this.#signer(), this.#monitor);
  }

  /** The transactions that take the HTLCs of that commitment with every preimage that the party has: in one, or one each. */
  htlcTransactions(height: number, shape: 'together' | 'apart', feeratePerKw: number = 2_000): readonly Uint8Array[] {
    const commitment = decodeTransaction(this.commitment);
    const claims = claimsOf(claimKeys(secp, this.#signer()), {
      ...this.#monitor,
      confirmedSpend: {
        spend: { kind: 'holderCommitment' },
        transaction: encodeTransaction(commitment),
        txid: transactionId(commitment),
        height,
      },
    }).filter(({ kind, validFrom }) => kind === 'holderHtlc' && validFrom <= height + 1);
    const groups = shape === 'together' ? [claims] : claims.map((claim) => [claim]);
    return groups.flatMap((group) => {
      const parts = {
        signer: this.#signer().claims,
        coins: this.#party.node.wallet,
        destinationScript: this.#party.keys.destinationScript(),
      };
      const built = buildClaim(parts, group, feeratePerKw, undefined);
      if (built === undefined) return [];
      this.#party.node.wallet.transactionMade(built.tx);
      return [encodeTransaction(built.tx)];
    });
  }

  /** One that has forgotten what it must not sign. */
  #signer(): ChannelSigner {
    const { params } = this.#monitor;
    return this.#party.keys.deriveChannelSigner(params, params.fundingSat, {
      counterpartySigned: [],
      counterpartyRevoked: 0,
      holderReleased: this.#monitor.holderCommitment.number,
      holderSigned: [],
    });
  }
}

/** What takes HTLCs of the confirmed commitment by preimages that a party has, each in a transaction of its own. */
export function takenByPreimage({ monitor, keys, node }: Party, feeratePerKw: number = 20_000): readonly Uint8Array[] {
  const own = claimKeys(secp, keys.deriveChannelSigner(monitor.params, monitor.params.fundingSat));
  const parts = { signer: own.signer, coins: node.wallet, destinationScript: keys.destinationScript() };
  return claimsOf(own, monitor)
    .filter(
      (claim) => (claim.kind === 'holderHtlc' || claim.kind === 'counterpartyHtlc') && claim.preimage !== undefined,
    )
    .flatMap((claim) => buildClaim(parts, [claim], feeratePerKw, undefined) ?? [])
    .map(({ tx }) => encodeTransaction(tx));
}
