import { describe, expect, it } from 'vitest';
import type { WalletConfig } from '../../worker/client/api.ts';
import { openLocked, type LockPort } from '../../worker/client/endpoint-lock.ts';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import { FakeWallet, runningSnapshot } from './fake-wallet.ts';

const CONFIG: WalletConfig = { network: 'regtest', esploraUrls: ['http://a'], name: 'savings' };

describe('openLocked', () => {
  it('holds the lock of that name until the wallet is closed', async () => {
    const locks = new Locks();
    const wallet = await openLocked(CONFIG, locks, async () => new FakeWallet());
    expect(locks.held).toEqual(['glowworm:savings']);
    expect(wallet.snapshot()).toEqual(runningSnapshot());
    await wallet.close();
    await Promise.resolve();
    expect(locks.held).toEqual([]);
  });

  it('gives the lock back when opening fails', async () => {
    const locks = new Locks();
    const broken = (): Promise<never> => Promise.reject(new GlowwormError('StorageUnavailable', 'No.'));
    await expect(openLocked(CONFIG, locks, broken)).rejects.toMatchObject({ code: 'StorageUnavailable' });
    await Promise.resolve();
    expect(locks.held).toEqual([]);
  });

  it('keeps the lock when closing fails', async () => {
    const locks = new Locks();
    const fake = new FakeWallet();
    fake.close = () => Promise.reject(new GlowwormError('StorageFailed', 'No.'));
    const wallet = await openLocked(CONFIG, locks, async () => fake);
    await expect(wallet.close()).rejects.toMatchObject({ code: 'StorageFailed' });
    expect(locks.held).toEqual(['glowworm:savings']);
  });

  it('does not open what is open elsewhere', async () => {
    const taken: LockPort = { request: () => Promise.reject(new DOMException('signal timed out', 'TimeoutError')) };
    let opened = false;
    const open = async (): Promise<FakeWallet> => {
      opened = true;
      return new FakeWallet();
    };
    await expect(openLocked(CONFIG, taken, open)).rejects.toMatchObject({
      code: 'WalletOpenElsewhere',
      details: { lock: 'glowworm:savings' },
    });
    expect(opened).toBe(false);
  });

  it('passes other failures of the lock manager on', async () => {
    const broken: LockPort = { request: () => Promise.reject(new DOMException('no', 'SecurityError')) };
    await expect(openLocked(CONFIG, broken, async () => new FakeWallet())).rejects.toMatchObject({
      name: 'SecurityError',
    });
  });
});

class Locks implements LockPort {
  held: string[] = [];

  async request(name: string, _options: object, hold: () => Promise<void>): Promise<void> {
    this.held.push(name);
    await hold();
    this.held = this.held.filter((other) => other !== name);
  }
}
