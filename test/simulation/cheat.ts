import { toHex } from '../../worker/engine/primitives/bytes.ts';
import type { ChannelSigner } from '../../worker/engine/keys/channel-signer.ts';
import type { ChannelMonitor } from '../../worker/engine/monitor/channel-monitor.ts';
import { buildClaim } from '../../worker/engine/monitor/claims/claim-transaction.ts';
import { claimKeys } from '../../worker/engine/monitor/claims/claim-keys.ts';
import { claimsOf } from '../../worker/engine/monitor/claims/claims.ts';
import { signedHolderCommitment } from '../../worker/engine/monitor/holder-commitment.ts';
import { decodeTransaction, encodeTransaction, transactionId } from '../../worker/engine/transactions/transaction.ts';
import type { Side } from './side.ts';
import type { SimulatedChain } from './simulated-chain.ts';

/** What a cheater does about the HTLCs of what it broadcasts. */
export type SecondStage = 'never' | 'together' | 'apart';

/** A side that broadcasts a commitment which it had once, whatever it has revoked since, and what takes its HTLCs. */
export class Cheat {
  readonly #side: Side;
  /** As it was when that commitment was the newest. */
  readonly #monitor: ChannelMonitor;
  readonly #secondStage: SecondStage;
  readonly #commitment: Uint8Array;

  constructor(side: Side, monitor: ChannelMonitor, secondStage: SecondStage) {
    this.#side = side;
    this.#monitor = { ...monitor, preimages: everKnown(side, toHex(monitor.params.channelId)) };
    this.#secondStage = secondStage;
    this.#commitment = signedHolderCommitment(side.secp, this.#signer(), monitor);
  }

  /** All that it would have in the next block. */
  transactions(chain: SimulatedChain): readonly Uint8Array[] {
    const txid = transactionId(decodeTransaction(this.#commitment));
    const height = chain.heightOf(txid);
    if (height === undefined) return [this.#commitment];
    if (this.#secondStage === 'never') return [];
    const own = claimKeys(this.#side.secp, this.#signer());
    const monitor: ChannelMonitor = {
      ...this.#monitor,
      confirmedSpend: { spend: { kind: 'holderCommitment' }, transaction: this.#commitment, txid, height },
    };
    const claims = claimsOf(own, monitor).filter(
      ({ kind, validFrom, outpoint }) =>
        kind === 'holderHtlc' && validFrom <= chain.height + 1 && !chain.isSpent(outpoint),
    );
    const { wallet, keys } = this.#side.node;
    const parts = { signer: own.signer, coins: wallet, destinationScript: keys.destinationScript() };
    // Without anchors the other side's signature covers the whole of an HTLC transaction.
    const isTogether = this.#secondStage === 'together' && monitor.params.format === 'anchors';
    const groups = isTogether ? [claims] : claims.map((claim) => [claim]);
    return groups.flatMap((group) => {
      const built = buildClaim(parts, group, FEERATE_PER_KW, undefined);
      if (built === undefined) return [];
      wallet.transactionMade(built.tx);
      return [encodeTransaction(built.tx)];
    });
  }

  /** One that has forgotten what it must not sign. */
  #signer(): ChannelSigner {
    const { params } = this.#monitor;
    return this.#side.node.keys.deriveChannelSigner(params, params.fundingSat, {
      counterpartySigned: [],
      counterpartyRevoked: 0,
      holderReleased: this.#monitor.holderCommitment.number,
      holderSigned: [],
    });
  }
}

/** A monitor keeps the preimages of what is not revoked only. */
const everKnown = ({ view }: Side, key: string): ChannelMonitor['preimages'] =>
  new Map((view.history.get(key) ?? []).flatMap(({ preimages }) => [...preimages]));

const FEERATE_PER_KW = 2_000;
