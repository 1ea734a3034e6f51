import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { WalletConfig } from '../../worker/client/api.ts';
import { OpenedWallet } from './opened-wallet.tsx';
import { ElsewherePage } from './pages/elsewhere-page.tsx';
import { FailedPage } from './pages/failed-page.tsx';
import { SetupPage } from './pages/setup-page.tsx';
import { StartingPage } from './pages/starting-page.tsx';
import { saveConfig, savedConfig } from './saved-config.ts';
import { useSession, type OpenWallet } from './use-session.ts';
import { loadWorld, worldConfig, type World } from './world.ts';

export interface AppProps {
  readonly open: OpenWallet;
}

/** From the environment to the configuration to the open wallet; what happens in that is `OpenedWallet`'s. */
export function App({ open }: AppProps): JSX.Element {
  const world = useWorld();
  const [chosen, setChosen] = useState<WalletConfig | undefined>(savedConfig);
  const config = useMemo(() => configFor(world, chosen), [world, chosen]);
  const session = useSession(open, config);
  const choose = (next: WalletConfig): void => {
    saveConfig(next);
    setChosen(next);
  };

  if (world === 'looking') return <StartingPage />;
  if (config === undefined) return <SetupPage onChoose={choose} />;
  switch (session.kind) {
    case 'opening':
      return <StartingPage />;
    case 'elsewhere':
      return <ElsewherePage />;
    case 'failed':
      return <FailedPage error={session.error} />;
    case 'open':
      return <OpenedWallet session={session} world={world} />;
    default:
      return session satisfies never;
  }
}

function useWorld(): World | undefined | 'looking' {
  const [world, setWorld] = useState<World | undefined | 'looking'>('looking');
  useEffect(() => {
    void loadWorld().then(setWorld);
  }, []);
  return world;
}

function configFor(world: World | undefined | 'looking', chosen: WalletConfig | undefined): WalletConfig | undefined {
  if (world === 'looking') return undefined;
  return world === undefined ? chosen : worldConfig(world);
}
