import { render } from 'preact';
import { App } from '../../../src/app/app.tsx';
import type { Wallet } from '../../../src/wallet.ts';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import { channel, emptySnapshot, FakeWallet, newSnapshot, runningSnapshot } from '../fake-wallet.ts';
import '../../../src/app/styles.css';

/**
 * The reference wallet over `FakeWallet`, to look at its pages without an engine: `npx vite` and then
 * `/test/src/preview/?wallet=running#/send`. `fake` in the console makes things happen.
 */
const scenario = new URLSearchParams(location.search).get('wallet') ?? 'running';
const fake = new FakeWallet(snapshotOf(scenario));

const root = document.getElementById('app');
if (root !== null) render(<App open={open} />, root);
Object.assign(globalThis, { fake, GlowwormError });

async function open(): Promise<Wallet> {
  if (scenario === 'opening') return new Promise(() => {});
  if (scenario === 'elsewhere') throw new GlowwormError('WalletOpenElsewhere', 'This wallet is open in another tab.');
  if (scenario === 'failed') {
    throw new GlowwormError('StorageUnavailable', 'The browser gives this page no storage, so nothing could be kept.');
  }
  return asWallet();
}

/** The same methods with promises, as the façade gives them. */
function asWallet(): Wallet {
  return new Proxy(fake, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return undefined;
      if (name === 'subscribe') return member.bind(target);
      return async (...args: unknown[]) => member.apply(target, args) as unknown;
    },
  }) as unknown as Wallet;
}

function snapshotOf(name: string): ReturnType<typeof runningSnapshot> {
  if (name === 'empty') return emptySnapshot();
  if (name === 'new') return newSnapshot();
  if (name === 'frozen') {
    const problem = {
      code: 'StorageFailed',
      message: 'Storage refused a write, so the wallet has stopped.',
      details: {},
    };
    const channels = [channel({ state: 'frozen', usable: false, reason: 'A record could not be written.' })];
    return { ...runningSnapshot(), status: 'frozen', problem, channels };
  }
  return runningSnapshot();
}
