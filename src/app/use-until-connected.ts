import { useEffect, useRef } from 'preact/hooks';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import { useWallet } from './wallet-context.ts';

const CONNECT_TIMEOUT_MS = 30_000;

/** Waits for a peer: a channel can only be offered after both sides' `init`, which the snapshot tells. */
export function useUntilConnected(): (nodeId: string) => Promise<void> {
  const { snapshot } = useWallet();
  const newest = useRef(snapshot);
  const waiting = useRef<() => void>(() => {});
  useEffect(() => {
    newest.current = snapshot;
    waiting.current();
  }, [snapshot]);
  return (nodeId) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new GlowwormError('PeerUnreachable', 'The peer does not answer. Check its address, then try again.'));
      }, CONNECT_TIMEOUT_MS);
      waiting.current = () => {
        if (!newest.current.peers.some((peer) => peer.nodeId === nodeId && peer.state === 'connected')) return;
        clearTimeout(timer);
        resolve();
      };
      waiting.current();
    });
}
