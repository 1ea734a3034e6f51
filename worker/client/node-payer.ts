import type { ChannelManager } from '../engine/manager/channel-manager.ts';
import type { Secp256k1 } from '../engine/primitives/secp256k1.ts';
import type { Descriptors } from '../engine/wallet/descriptors.ts';
import type { PaymentTerms } from '../engine/wallet/wallet-transaction.ts';
import { OnchainWallet } from '../engine/wallet/wallet.ts';
import type { NetworkName } from './api.ts';
import type { ChainFollower } from './chain-follower.ts';
import type { OnchainPayer } from './onchain-payment.ts';
import { reserveSat } from './onchain-reserve.ts';
import type { OnchainSend } from './onchain-send.ts';
import type { SentPayments } from './sent-payments.ts';

export interface NodePayerParts {
  readonly network: NetworkName;
  readonly secp: Secp256k1;
  readonly descriptors: Descriptors;
  readonly wallet: OnchainWallet;
  readonly manager: ChannelManager;
  readonly chain: Pick<ChainFollower, 'feerates'>;
  readonly sent: SentPayments;
}

/** What pays out of the on-chain wallet of a node: at the feerates of now, beside its channels, through its turns. */
export class NodePayer implements OnchainPayer {
  readonly network: NetworkName;
  readonly wallet: OnchainWallet;
  readonly #parts: NodePayerParts;

  constructor(parts: NodePayerParts) {
    this.#parts = parts;
    this.network = parts.network;
    this.wallet = parts.wallet;
  }

  draftWallet(): OnchainWallet {
    const { secp, descriptors } = this.#parts;
    return new OnchainWallet(secp, descriptors, this.wallet.state);
  }

  onchainTerms(): PaymentTerms {
    const { manager, chain } = this.#parts;
    const { outputSpending: feeratePerKw } = chain.feerates;
    return {
      feeratePerKw,
      reserveSat: reserveSat(manager.reservingChannels()),
      reservePerKw: feeratePerKw,
      reserveCoinSat: reserveSat(1),
      against: this.unsettled(),
    };
  }

  /** As `PaymentTerms.against`. */
  unsettled(): PaymentTerms['against'] {
    return this.#parts.sent.unsettled((script) => this.wallet.owns(script));
  }

  onchainSend(txid: string): OnchainSend | undefined {
    return this.#parts.sent.get(txid);
  }

  sendOnchain(send: OnchainSend): void {
    this.#parts.sent.save(send);
    this.#parts.manager.broadcast(send.rawTx);
  }

  replaceOnchain(txid: string, by: OnchainSend): void {
    this.#parts.sent.replace(txid, by);
    this.#parts.manager.broadcast(by.rawTx);
  }
}
