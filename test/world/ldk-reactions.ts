import type { CoinWallet } from './coin-wallet.ts';
import { apiErrorText, hex, ldk } from './ldk.ts';
import type { LdkCore } from './ldk-core.ts';
import { happeningOf, type LdkHappening, preimageOf } from './ldk-events.ts';

export interface ReactionPorts {
  readonly core: LdkCore;
  readonly wallet: CoinWallet;
  readonly note: (happening: LdkHappening) => void;
  readonly broadcast: (transactions: readonly Uint8Array[]) => void;
}

interface HeldPayment {
  readonly hash: Uint8Array;
  readonly preimage: Uint8Array | undefined;
}

const SWEEP_SAT_PER_KW = 1_000;
const USER_CHANNEL_ID = 1n;

/** How a node answers LDK's events: accepts channels, funds its own, claims what it receives, bumps and sweeps. */
export class LdkReactions {
  zeroConf = false;
  holding = false;
  #held: HeldPayment[] = [];

  get heldPayments(): number {
    return this.#held.length;
  }

  react(event: ldk.Event, ports: ReactionPorts): void {
    const { core, note } = ports;
    if (event instanceof ldk.Event_PendingHTLCsForwardable) {
      core.manager.process_pending_htlc_forwards();
      return;
    }
    if (event instanceof ldk.Event_FundingGenerationReady) {
      fund(event, ports);
      return;
    }
    note(happeningOf(event));
    if (event instanceof ldk.Event_PaymentClaimable) this.#receive(event, core);
    else if (event instanceof ldk.Event_OpenChannelRequest) this.#accept(event, ports);
    else if (event instanceof ldk.Event_SpendableOutputs) sweep(event, ports);
    else if (event instanceof ldk.Event_BumpTransaction) core.bumper.handle_event(event.bump_transaction);
  }

  /** Claims, or fails back, every payment that was held, and holds no more. */
  release(end: 'claim' | 'fail', { core, note }: ReactionPorts): number {
    const held = this.#held;
    this.#held = [];
    this.holding = false;
    for (const payment of held) {
      const claims = end === 'claim' && payment.preimage !== undefined;
      note({ kind: claims ? 'HeldPaymentClaimed' : 'HeldPaymentFailed', hash: hex(payment.hash) });
      settle(payment, claims, core);
    }
    return held.length;
  }

  #receive(event: ldk.Event_PaymentClaimable, core: LdkCore): void {
    const payment = { hash: event.payment_hash, preimage: preimageOf(event.purpose) };
    if (this.holding) this.#held.push(payment);
    else settle(payment, true, core);
  }

  #accept(event: ldk.Event_OpenChannelRequest, { core, note }: ReactionPorts): void {
    const { temporary_channel_id: id, counterparty_node_id: peer } = event;
    const accepted = this.zeroConf
      ? core.manager.accept_inbound_channel_from_trusted_peer_0conf(id, peer, USER_CHANNEL_ID)
      : core.manager.accept_inbound_channel(id, peer, USER_CHANNEL_ID);
    if (accepted instanceof ldk.Result_NoneAPIErrorZ_Err) {
      note({ kind: 'Trouble', what: `accept: ${apiErrorText(accepted.err)}` });
    }
  }
}

function settle({ hash, preimage }: HeldPayment, claims: boolean, { manager }: LdkCore): void {
  if (claims && preimage !== undefined) manager.claim_funds(preimage);
  else manager.fail_htlc_backwards(hash);
}

function fund(event: ldk.Event_FundingGenerationReady, { core, wallet, note }: ReactionPorts): void {
  const sats = Number(event.channel_value_satoshis);
  const tx = wallet.build([{ script: event.output_script, sats }]);
  const { temporary_channel_id: id, counterparty_node_id: peer } = event;
  const funded = core.manager.funding_transaction_generated(id, peer, tx);
  if (funded instanceof ldk.Result_NoneAPIErrorZ_Err) {
    note({ kind: 'Trouble', what: `funding: ${apiErrorText(funded.err)}` });
  }
}

function sweep(event: ldk.Event_SpendableOutputs, { core, wallet, note, broadcast }: ReactionPorts): void {
  const swept = core.keys
    .as_OutputSpender()
    .spend_spendable_outputs(event.outputs, [], wallet.script, SWEEP_SAT_PER_KW, ldk.Option_u32Z.constructor_none());
  if (swept instanceof ldk.Result_TransactionNoneZ_OK) broadcast([swept.res]);
  else note({ kind: 'Trouble', what: 'sweep refused' });
}
