import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { Notices } from './parts/notices.tsx';
import { Shell } from './parts/shell.tsx';
import { HomePage } from './pages/home-page.tsx';
import { later } from './later.tsx';
import { useRoute, type Route } from './route.ts';
import type { Session } from './use-session.ts';
import { WalletContext, type WalletView } from './wallet-context.ts';
import type { World } from './world.ts';

const ActivityPage = later(async () => (await import('./pages/activity-page.tsx')).ActivityPage);
const ChannelPage = later(async () => (await import('./pages/channel-page.tsx')).ChannelPage);
const ChannelsPage = later(async () => (await import('./pages/channels-page.tsx')).ChannelsPage);
const OpenChannelPage = later(async () => (await import('./pages/open-channel-page.tsx')).OpenChannelPage);
const ReceivePage = later(async () => (await import('./pages/receive-page.tsx')).ReceivePage);
const SendPage = later(async () => (await import('./pages/send-page.tsx')).SendPage);
const SettingsPage = later(async () => (await import('./pages/settings-page.tsx')).SettingsPage);
const WelcomePage = later(async () => (await import('./pages/welcome-page.tsx')).WelcomePage);
const WordsPage = later(async () => (await import('./pages/words-page.tsx')).WordsPage);

export interface OpenedWalletProps {
  readonly session: Extract<Session, { kind: 'open' }>;
  readonly world: World | undefined;
}

/** First the words, then the pages of the wallet. */
export function OpenedWallet({ session, world }: OpenedWalletProps): JSX.Element {
  const { wallet, snapshot, events } = session;
  const [newWords, setNewWords] = useState<string>();
  const [dismissed, setDismissed] = useState<ReadonlySet<string>>(new Set());
  const view = useMemo<WalletView>(
    () => ({
      wallet,
      snapshot,
      events,
      world,
      dismiss: (id) => setDismissed((before) => new Set(before).add(id)),
    }),
    [wallet, snapshot, events, world],
  );
  const route = useRoute();
  return (
    <WalletContext.Provider value={view}>
      {newWords !== undefined ? (
        <WordsPage words={newWords} onDone={() => setNewWords(undefined)} />
      ) : snapshot.status === 'empty' ? (
        <WelcomePage onCreated={setNewWords} />
      ) : (
        <Shell route={route}>
          <Notices events={events.filter(({ id }) => !dismissed.has(id))} />
          <CurrentPage key={`${route.page}/${route.rest}`} route={route} />
        </Shell>
      )}
    </WalletContext.Provider>
  );
}

function CurrentPage({ route }: { readonly route: Route }): JSX.Element {
  switch (route.page) {
    case 'receive':
      return <ReceivePage />;
    case 'send':
      return <SendPage prefilled={route.rest} />;
    case 'activity':
      return <ActivityPage />;
    case 'channels':
      return <ChannelsPage />;
    case 'channel':
      return <ChannelPage channelId={route.rest} />;
    case 'open-channel':
      return <OpenChannelPage nodeId={route.rest} />;
    case 'settings':
      return <SettingsPage />;
    default:
      return <HomePage />;
  }
}
