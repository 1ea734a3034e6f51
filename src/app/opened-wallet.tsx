import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { Notices } from './parts/notices.tsx';
import { Shell } from './parts/shell.tsx';
import { ActivityPage } from './pages/activity-page.tsx';
import { ChannelPage } from './pages/channel-page.tsx';
import { ChannelsPage } from './pages/channels-page.tsx';
import { HomePage } from './pages/home-page.tsx';
import { OpenChannelPage } from './pages/open-channel-page.tsx';
import { ReceivePage } from './pages/receive-page.tsx';
import { SendPage } from './pages/send-page.tsx';
import { SettingsPage } from './pages/settings-page.tsx';
import { WelcomePage } from './pages/welcome-page.tsx';
import { WordsPage } from './pages/words-page.tsx';
import { useRoute, type Route } from './route.ts';
import type { Session } from './use-session.ts';
import { WalletContext, type WalletView } from './wallet-context.ts';
import type { World } from './world.ts';

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
