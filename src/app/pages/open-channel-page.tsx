import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { parseSat, satText } from '../format.ts';
import { ActionButton } from '../parts/action-button.tsx';
import { Field } from '../parts/field.tsx';
import { Page } from '../parts/page.tsx';
import { PeerFieldsForm } from '../parts/peer-fields-form.tsx';
import { NO_PEER, readPeer, type PeerFields } from '../peer-input.ts';
import { go } from '../route.ts';
import { useAction, useWallet, type WalletView } from '../wallet-context.ts';
import { worldPeerFields } from '../world.ts';
import type { PeerConfig } from '../../../worker/client/api.ts';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';

export interface OpenChannelPageProps {
  /** A peer that is connected already; otherwise empty. */
  readonly nodeId: string;
}

const CONNECT_TIMEOUT_MS = 30_000;

/** A peer and an amount. */
export function OpenChannelPage({ nodeId }: OpenChannelPageProps): JSX.Element {
  const view = useWallet();
  const { wallet, snapshot } = view;
  const connected = snapshot.peers.some((peer) => peer.nodeId === nodeId && peer.state === 'connected');
  const untilConnected = useUntilConnected(view);
  const [fields, setFields] = useState<PeerFields>(() => startingFields(view, nodeId));
  const [typed, setTyped] = useState('');
  const [wrong, setWrong] = useState<string>();
  const amountSat = parseSat(typed);
  const tooMuch = amountSat !== undefined && amountSat > snapshot.onchain.spendableSat;
  const open = useAction(async () => {
    setWrong(undefined);
    if (amountSat === undefined) return;
    const peer = connected ? nodeId : readPeer(fields);
    if (typeof peer !== 'string') await wallet.connectPeer(peer).then(() => untilConnected(peer));
    else if (!connected) return setWrong(peer);
    await wallet.openChannel({ nodeId: typeof peer === 'string' ? peer : peer.nodeId, amountSat });
    go('channels');
  });
  return (
    <Page title="Open a channel" back="channels">
      <section class="card stack">
        {connected ? (
          <p>
            With your peer <span class="mono long">{nodeId}</span>
          </p>
        ) : (
          <PeerFieldsForm fields={fields} onChange={setFields} />
        )}
        <Field
          label="Amount"
          value={typed}
          onInput={setTyped}
          unit="sat"
          inputMode="numeric"
          hint={`You can spend ${satText(snapshot.onchain.spendableSat)} on-chain.`}
          wrong={tooMuch ? `More than can be spent: ${satText(snapshot.onchain.spendableSat)}.` : undefined}
        />
        <p class="muted">
          The coins move into the channel, less a network fee. You get them back by payments or by closing it. A small
          part stays reserved while it is open.
        </p>
        <ActionButton action={open} disabled={amountSat === undefined || amountSat === 0n || tooMuch}>
          {open.busy ? 'Opening…' : 'Open channel'}
        </ActionButton>
        {wrong !== undefined && (
          <p class="wrong" role="alert">
            {wrong}
          </p>
        )}
      </section>
    </Page>
  );
}

function startingFields({ world }: WalletView, nodeId: string): PeerFields {
  if (world !== undefined && (nodeId === '' || nodeId === world.peer.nodeId)) return worldPeerFields(world);
  return { ...NO_PEER, nodeId };
}

/** A channel can only be offered after both sides' `init`, which the snapshot tells. */
function useUntilConnected({ snapshot }: WalletView): (peer: PeerConfig) => Promise<void> {
  const newest = useRef(snapshot);
  const waiting = useRef<() => void>(() => {});
  useEffect(() => {
    newest.current = snapshot;
    waiting.current();
  }, [snapshot]);
  return ({ nodeId }) =>
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
