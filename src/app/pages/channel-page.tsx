import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ChannelSummary, CloseQuote } from '../../../worker/client/api.ts';
import { channelText, msatText, satText } from '../format.ts';
import { ActionButton } from '../parts/action-button.tsx';
import { CloseChannelDialog, ForceCloseDialog } from '../parts/close-dialogs.tsx';
import { ClosingTimeline } from '../parts/closing-timeline.tsx';
import { Facts } from '../parts/facts.tsx';
import { Page } from '../parts/page.tsx';
import { useAction, useWallet } from '../wallet-context.ts';
import { CapacityBar } from './channels-page.tsx';

export interface ChannelPageProps {
  readonly channelId: string;
}

export function ChannelPage({ channelId }: ChannelPageProps): JSX.Element {
  const channel = useWallet().snapshot.channels.find((candidate) => candidate.channelId === channelId);
  return (
    <Page title="Channel" back="channels">
      {channel === undefined ? (
        <p class="card tip">There is no such channel any more.</p>
      ) : (
        <Details channel={channel} />
      )}
    </Page>
  );
}

function Details({ channel }: { readonly channel: ChannelSummary }): JSX.Element {
  const { closing, reason, state } = channel;
  return (
    <>
      <section class="card stack">
        <p>
          <strong>{channelText(channel)}</strong>
        </p>
        {reason !== undefined && <p class="muted">{reason}</p>}
        {state !== 'closed' && <CapacityBar channel={channel} />}
        {closing === undefined && <ChannelFacts channel={channel} />}
      </section>
      {closing !== undefined && (
        <>
          <ClosingTimeline closing={closing} />
          <section class="card">
            <ChannelFacts channel={channel} />
          </section>
        </>
      )}
      {state === 'opening' ? <CancelButton channel={channel} /> : <CloseButtons channel={channel} />}
    </>
  );
}

const ChannelFacts = ({ channel }: { readonly channel: ChannelSummary }): JSX.Element => (
  <Facts
    facts={[
      ...(channel.state === 'closed' ? closedFacts(channel) : openFacts(channel)),
      ['Capacity', satText(channel.capacitySat)],
      ['Payments under way', channel.pendingHtlcs === 0 ? '' : String(channel.pendingHtlcs)],
      ['Opened by', channel.weOpened ? 'us' : 'the peer'],
      ['Peer', <span class="mono long">{channel.peerNodeId}</span>],
      ['Funding transaction', <span class="mono long">{channel.fundingTxid}</span>],
    ]}
  />
);

type Fact = readonly [name: string, value: string];

const openFacts = (channel: ChannelSummary): readonly Fact[] => [
  ['Ours', msatText(channel.balanceMsat)],
  ['Can send', msatText(channel.sendableMsat)],
  ['Can receive', msatText(channel.receivableMsat)],
  ['Our reserve', satText(channel.reserveSat)],
];

const closedFacts = ({ balanceMsat }: ChannelSummary): readonly Fact[] => [['Still to come', msatText(balanceMsat)]];

function CancelButton({ channel: { channelId } }: { readonly channel: ChannelSummary }): JSX.Element {
  const { wallet } = useWallet();
  const cancel = useAction(() => wallet.closeChannel({ channelId }));
  return (
    <section class="stack">
      <ActionButton action={cancel} look="plain">
        Cancel the opening
      </ActionButton>
    </section>
  );
}

function CloseButtons({ channel }: { readonly channel: ChannelSummary }): JSX.Element {
  const { wallet } = useWallet();
  const { channelId } = channel;
  const [quote, setQuote] = useState<CloseQuote>();
  const [isForcing, setForcing] = useState(false);
  const look = useAction(async () => setQuote(await wallet.quoteClose({ channelId })));
  const close = useAction(() =>
    wallet.closeChannel({
      channelId,
      ...(channel.weOpened && quote !== undefined ? { maxFeeSat: quote.maxFeeSat } : {}),
    }),
  );
  const forceClose = useAction(() =>
    wallet.forceCloseChannel({ channelId, ...(channel.stateConfirmed ? {} : { unconfirmedState: true }) }),
  );
  const askToClose = { busy: look.busy || close.busy, error: close.error ?? look.error, run: look.run };
  const askToForce = { ...forceClose, run: () => setForcing(true) };
  return (
    <section class="stack">
      {channel.state !== 'closed' && (
        <ActionButton action={askToClose} look="plain" disabled={channel.state !== 'ready' || close.busy}>
          Close channel
        </ActionButton>
      )}
      {channel.forceClosable && (
        <ActionButton action={askToForce} look="danger">
          Force-close channel
        </ActionButton>
      )}
      {quote !== undefined && (
        <CloseChannelDialog channel={channel} quote={quote} onConfirm={close.run} onDone={() => setQuote(undefined)} />
      )}
      {isForcing && <ForceCloseDialog channel={channel} onConfirm={forceClose.run} onDone={() => setForcing(false)} />}
    </section>
  );
}
