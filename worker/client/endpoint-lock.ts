import { GlowwormError } from '../engine/primitives/errors.ts';
import type { WalletConfig } from './api.ts';
import type { ServedWallet } from './endpoint.ts';

/** The part of `navigator.locks` that is needed. */
export interface LockPort {
  request(name: string, options: { readonly signal: AbortSignal }, hold: () => Promise<void>): Promise<unknown>;
}

/** When a page is reloaded, the worker of the page before it may hold the lock for a moment longer. */
const GRACE_MS = 1000;

/**
 * Opens the wallet while holding the exclusive lock `glowworm:<name>`, which ends with the wallet's `close` or with the
 * worker. Two engines on one database would sign conflicting states of a channel, and lose its money.
 * Throws `WalletOpenElsewhere`.
 */
export async function openLocked(
  config: WalletConfig,
  locks: LockPort,
  open: (config: WalletConfig) => Promise<ServedWallet>,
): Promise<ServedWallet> {
  const release = await takeLock(`glowworm:${config.name ?? 'default'}`, locks);
  try {
    const wallet = await open(config);
    return closingWith(wallet, release);
  } catch (error) {
    release();
    throw error;
  }
}

/** Settles once the lock is held; what it answers gives the lock back. */
function takeLock(name: string, locks: LockPort): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const hold = (): Promise<void> => new Promise((release) => resolve(release));
    locks.request(name, { signal: AbortSignal.timeout(GRACE_MS) }, hold).catch((cause: unknown) => {
      const timedOut = cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'AbortError');
      const message = 'This wallet is open in another tab or window. Use it there, or close that one and try again.';
      reject(timedOut ? new GlowwormError('WalletOpenElsewhere', message, { lock: name }) : cause);
    });
  });
}

/** Over the wallet rather than copied from it: its methods may live on a class. */
function closingWith(wallet: ServedWallet, release: () => void): ServedWallet {
  const close = async (): Promise<void> => {
    // After a failed close the engine may still be at work: then only the worker's end gives the lock back.
    await wallet.close();
    release();
  };
  return new Proxy(wallet, {
    get(target, property) {
      if (property === 'close') return close;
      const member: unknown = Reflect.get(target, property);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
