import type { JSX } from 'preact';
import type { ChannelSummary } from '../../../worker/client/api.ts';
import { Bar } from '../parts/bar.tsx';
import { Page } from '../parts/page.tsx';
import { PeerList } from '../parts/peer-list.tsx';
import { channelText, msatText, shortId } from '../format.ts';
import { useWallet } from '../wallet-context.ts';

/** The channels that are open, those that were, and the peers. */
export function ChannelsPage(): JSX.Element {
  const { channels } = useWallet().snapshot;
  const live = channels.filter(({ state }) => state !== 'closed');
  const closed = channels.filter(({ state }) => state === 'closed');
  return (
    <Page title="Channels">
      {live.length === 0 && <p class="card tip">No channel yet. With one you can pay and be paid over Lightning.</p>}
      {live.map((channel) => (
        <ChannelCard key={channel.channelId} channel={channel} />
      ))}
      <a class="button primary" href="#/open-channel">
        Open a channel
      </a>
      <PeerList />
      {closed.length > 0 && (
        <details class="card">
          <summary>Closed channels ({closed.length})</summary>
          {closed.map((channel) => (
            <ChannelCard key={channel.channelId} channel={channel} />
          ))}
        </details>
      )}
    </Page>
  );
}

function ChannelCard({ channel }: { readonly channel: ChannelSummary }): JSX.Element {
  const { channelId, peerNodeId, state, usable, balanceMsat, capacitySat } = channel;
  return (
    <a class="card channel" href={`#/channel/${channelId}`}>
      <span class="card-head">
        <span class="mono">{shortId(peerNodeId)}</span>
        <span class={`state state-${state === 'ready' && !usable ? 'offline' : state}`}>{channelText(channel)}</span>
      </span>
      {state !== 'closed' && <CapacityBar channel={channel} />}
      {state === 'closed' ? (
        <span class="muted">
          {balanceMsat === 0n ? 'Nothing is left in it' : `Still to come ${msatText(balanceMsat)}`}
        </span>
      ) : (
        <span class="card-head muted">
          <span>Ours {msatText(balanceMsat)}</span>
          <span>Theirs {msatText(capacitySat * 1000n - balanceMsat)}</span>
        </span>
      )}
    </a>
  );
}

/** Both sides of a channel. */
export function CapacityBar({ channel }: { readonly channel: ChannelSummary }): JSX.Element {
  const { balanceMsat, capacitySat } = channel;
  return (
    <Bar
      parts={[
        { name: 'ours', look: 'send', msat: balanceMsat },
        { name: 'theirs', look: 'receive', msat: capacitySat * 1000n - balanceMsat },
      ]}
    />
  );
}
