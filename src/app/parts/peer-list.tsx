import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { PeerSummary } from '../../../worker/client/api.ts';
import { peerText, shortId } from '../format.ts';
import { NO_PEER, readPeer } from '../peer-input.ts';
import { useAction, useWallet } from '../wallet-context.ts';
import { ActionButton } from './action-button.tsx';
import { PeerFieldsForm } from './peer-fields-form.tsx';

/** The peers with their state, and a form for another. */
export function PeerList(): JSX.Element {
  const { peers } = useWallet().snapshot;
  const [adding, setAdding] = useState(false);
  return (
    <section class="card stack">
      <div class="card-head">
        <h2>Peers</h2>
        <button type="button" class="quiet" aria-expanded={adding} onClick={() => setAdding(!adding)}>
          {adding ? 'Cancel' : 'Connect to a peer'}
        </button>
      </div>
      {adding && <ConnectForm onDone={() => setAdding(false)} />}
      {peers.length === 0 && !adding && <p class="muted">No peers yet.</p>}
      <ul class="peers">
        {peers.map((peer) => (
          <PeerLine key={peer.nodeId} peer={peer} />
        ))}
      </ul>
    </section>
  );
}

function PeerLine({ peer }: { readonly peer: PeerSummary }): JSX.Element {
  return (
    <li class="stack">
      <div class="card-head">
        <a class="mono" href={`#/open-channel/${peer.nodeId}`}>
          {shortId(peer.nodeId)}
        </a>
        <span class={`state state-${peer.state}`}>{peerText(peer.state)}</span>
      </div>
      {peer.problem !== undefined && <p class="muted">{peer.problem.message}</p>}
      {peer.state === 'disconnected' ? <AwayActions peer={peer} /> : <LeaveAction peer={peer} />}
    </li>
  );
}

function LeaveAction({ peer: { nodeId } }: { readonly peer: PeerSummary }): JSX.Element {
  const { wallet } = useWallet();
  const disconnect = useAction(() => wallet.disconnectPeer({ nodeId }));
  return (
    <ActionButton action={disconnect} look="quiet">
      Disconnect
    </ActionButton>
  );
}

/** A peer whose channel still needs it cannot be forgotten. */
function AwayActions({ peer: { nodeId, address, forgettable } }: { readonly peer: PeerSummary }): JSX.Element {
  const { wallet } = useWallet();
  const connect = useAction(() => wallet.connectPeer({ nodeId, address }));
  const forget = useAction(() => wallet.forgetPeer({ nodeId }));
  return (
    <div class="card-head">
      <ActionButton action={connect} look="quiet">
        Connect
      </ActionButton>
      {forgettable && (
        <ActionButton action={forget} look="quiet">
          Forget
        </ActionButton>
      )}
    </div>
  );
}

function ConnectForm({ onDone }: { readonly onDone: () => void }): JSX.Element {
  const { wallet } = useWallet();
  const [fields, setFields] = useState(NO_PEER);
  const [wrong, setWrong] = useState<string>();
  const connect = useAction(async () => {
    const peer = readPeer(fields);
    setWrong(typeof peer === 'string' ? peer : undefined);
    if (typeof peer === 'string') return;
    await wallet.connectPeer(peer);
    onDone();
  });
  return (
    <div class="stack">
      <PeerFieldsForm fields={fields} onChange={setFields} />
      {wrong !== undefined && (
        <p class="wrong" role="alert">
          {wrong}
        </p>
      )}
      <ActionButton action={connect}>{connect.busy ? 'Connecting…' : 'Connect'}</ActionButton>
    </div>
  );
}
