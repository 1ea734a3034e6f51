import type { ComponentChildren, JSX } from 'preact';
import type { ChannelClosing, ClosingBalance, ClosingStep, WalletSnapshot } from '../../../worker/client/api.ts';
import { blocksText } from '../block-time.ts';
import { grouped, msatText, satText, shortId } from '../format.ts';
import { useWallet } from '../wallet-context.ts';

/** What has become of a closed channel's money, and what is still to come: when, how much, and what it costs. */
export function ClosingTimeline({ closing }: { readonly closing: ChannelClosing }): JSX.Element | null {
  const { closedBy, heldMsat, balances, steps, gainMsat } = closing;
  if (closedBy === 'nobody') return null;
  const costMsat = steps.reduce((sum, { costSat }) => sum + costSat * 1000n, closing.feeMsat);
  return (
    <section class="card stack" aria-label="The close">
      <h2>The close</h2>
      <ol class="timeline">
        <Close closing={closing} />
        {steps.map((step) => (
          <Step key={step.txid} step={step} />
        ))}
        {gainMsat !== 0n && <Gain gainMsat={gainMsat} />}
        {balances.map((balance, index) => (
          <Balance key={index} balance={balance} />
        ))}
      </ol>
      <p class="muted">
        {msatText(heldMsat)} were yours before the close. Its fees: {msatText(costMsat)}
        {balances.length === 0 ? '.' : ' so far.'}
      </p>
    </section>
  );
}

interface ItemProps {
  readonly look: 'done' | 'waiting' | 'perhaps';
  readonly title: string;
  readonly amount: string;
  readonly children: ComponentChildren;
}

function Item({ look, title, amount, children }: ItemProps): JSX.Element {
  return (
    <li class={`moment moment-${look}`}>
      <span class="card-head">
        <strong>{title}</strong>
        <span class="activity-amount">{amount}</span>
      </span>
      <span class="muted">{children}</span>
    </li>
  );
}

const CLOSED_BY = {
  us: 'Your closing transaction',
  peer: 'The peer’s closing transaction',
  both: 'The closing transaction that both signed',
  nobody: '',
} as const;

function Close({ closing }: { readonly closing: ChannelClosing }): JSX.Element {
  const { closedBy, txid, confirmations, feeMsat } = closing;
  return (
    <Item
      look={confirmations > 0 ? 'done' : 'waiting'}
      title={CLOSED_BY[closedBy]}
      amount={feeMsat > 0n ? `−${msatText(feeMsat)}` : ''}
    >
      {feeMsat > 0n ? 'Its fee. ' : 'It costs you nothing. '}
      <Chain txid={txid} confirmations={confirmations} />
    </Item>
  );
}

function Step({ step }: { readonly step: ClosingStep }): JSX.Element {
  const { kind, broughtSat, costSat, confirmations, txid } = step;
  const look = confirmations > 0 ? 'done' : 'waiting';
  const isBump = kind === 'feeBump';
  const title = isBump ? 'Coins of yours pay for it' : broughtSat > 0n ? 'Paid to your coins' : 'A payment is claimed';
  const cost = costSat > 0n ? `Fee ${satText(costSat)}. ` : '';
  return (
    <Item look={look} title={title} amount={broughtSat > 0n ? `+${satText(broughtSat)}` : `−${satText(costSat)}`}>
      {broughtSat > 0n ? cost : ''}
      <Chain txid={txid} confirmations={confirmations} />
    </Item>
  );
}

function Chain({ txid, confirmations }: { readonly txid: string; readonly confirmations: number }): JSX.Element {
  const times = confirmations === 1 ? 'once' : `${grouped(BigInt(confirmations))} times`;
  return (
    <>
      {confirmations === 0 ? 'Not confirmed yet. ' : `Confirmed ${times}. `}
      <span class="mono" title={txid}>
        {shortId(txid)}
      </span>
    </>
  );
}

const Gain = ({ gainMsat }: { readonly gainMsat: bigint }): JSX.Element =>
  gainMsat > 0n ? (
    <Item look="done" title="More than was yours" amount={`+${msatText(gainMsat)}`}>
      What the peer loses, because it broadcast an old state, or what this device did not know of.
    </Item>
  ) : (
    <Item look="done" title="Less than was yours" amount={`−${msatText(-gainMsat)}`}>
      The peer took it, or this device did not know that it was paid.
    </Item>
  );

function Balance({ balance }: { readonly balance: ClosingBalance }): JSX.Element {
  const { title, text, look } = wordsOf(balance, useWallet().snapshot);
  return (
    <Item look={look} title={title} amount={satText(balance.amountSat)}>
      {text}
    </Item>
  );
}

interface Words {
  readonly look: ItemProps['look'];
  readonly title: string;
  readonly text: string;
}

function wordsOf({ kind, height }: ClosingBalance, snapshot: WalletSnapshot): Words {
  const when = height === undefined ? '' : whenText(height, snapshot);
  switch (kind) {
    case 'claimableOnChannelClose':
      return {
        look: 'waiting',
        title: 'Comes back',
        text: 'Once the closing transaction is confirmed, and after a delay if you closed it alone.',
      };
    case 'claimableAwaitingConfirmations':
      return { look: 'waiting', title: 'Comes back', text: `${when}. The fee of getting it is taken from it.` };
    case 'contentiousClaimable':
      return {
        look: 'waiting',
        title: 'A payment to you',
        text: `It is being claimed; the peer could take it ${lower(when)}.`,
      };
    case 'maybeTimeoutClaimable':
      return {
        look: 'perhaps',
        title: 'A payment of yours',
        text: `Can be taken back ${lower(when)}, unless it was made.`,
      };
    case 'maybePreimageClaimable':
      return {
        look: 'perhaps',
        title: 'A payment to you that is not complete',
        text: `It goes back to the payer ${lower(when)}.`,
      };
    case 'counterpartyRevoked':
      return { look: 'waiting', title: 'Taken from a peer that cheats', text: 'It is being claimed now.' };
    default:
      return kind satisfies never;
  }
}

function whenText(height: number, { network, chain }: WalletSnapshot): string {
  const blocks = height - chain.blockHeight;
  if (blocks <= 1) return 'With the next block';
  return `From block ${grouped(BigInt(height))}, in ${blocksText(blocks, network)}`;
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
