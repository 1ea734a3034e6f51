import type { JSX } from 'preact';
import { ActivityList } from '../parts/activity-list.tsx';
import { LightningCard, OnchainCard, TotalCard } from '../parts/balance.tsx';
import { FoundCard } from '../parts/found-card.tsx';
import { Page } from '../parts/page.tsx';
import { WorldPanel } from '../parts/world-panel.tsx';
import { useActivity, useWallet } from '../wallet-context.ts';

/** What one has, and the two things one does with it. */
export function HomePage(): JSX.Element {
  const { snapshot, world } = useWallet();
  const activities = useActivity(5);
  return (
    <Page title="Home" heading="spoken">
      <TotalCard snapshot={snapshot} />
      <LightningCard balance={snapshot.lightning} />
      <div class="row big">
        <a class="button primary" href="#/receive">
          Receive
        </a>
        <a class="button primary" href="#/send">
          Send
        </a>
      </div>
      <NextStep />
      <OnchainCard balance={snapshot.onchain} />
      <FoundCard />
      <section class="card">
        <div class="card-head">
          <h2>Recent activity</h2>
          <a href="#/activity">All</a>
        </div>
        <ActivityList activities={activities} now={Date.now()} />
      </section>
      {world !== undefined && <WorldPanel world={world} />}
    </Page>
  );
}

/** A new wallet can do nothing yet: says what comes first. */
function NextStep(): JSX.Element | null {
  const { channels, onchain } = useWallet().snapshot;
  if (channels.some(({ state }) => state !== 'closed')) return null;
  if (onchain.spendableSat === 0n) {
    return (
      <p class="card tip">
        To pay over Lightning you need a channel, and for that some coins. <a href="#/receive">Receive on-chain</a>{' '}
        first, or let somebody open a channel to you.
      </p>
    );
  }
  return (
    <p class="card tip">
      Your coins are here. <a href="#/open-channel">Open a channel</a> to pay over Lightning.
    </p>
  );
}
