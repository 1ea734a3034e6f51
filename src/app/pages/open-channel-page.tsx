import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { parseSat, readFeerate, satText } from '../format.ts';
import { ActionButton } from '../parts/action-button.tsx';
import { ConfirmChannel, type QuotedChannel } from '../parts/confirm-channel.tsx';
import { FeerateField } from '../parts/feerate-field.tsx';
import { Field } from '../parts/field.tsx';
import { Page } from '../parts/page.tsx';
import { PeerFieldsForm } from '../parts/peer-fields-form.tsx';
import { NO_PEER, readPeer, type PeerFields } from '../peer-input.ts';
import { tooMuch, wrongAmount } from '../recipients.ts';
import { useUntilConnected } from '../use-until-connected.ts';
import { useAction, useWallet, type WalletView } from '../wallet-context.ts';
import { worldPeerFields } from '../world.ts';

export interface OpenChannelPageProps {
  /** A peer that is connected already; otherwise empty. */
  readonly nodeId: string;
}

/** A peer and an amount, and then what it costs. */
export function OpenChannelPage({ nodeId }: OpenChannelPageProps): JSX.Element {
  const view = useWallet();
  const { wallet, snapshot } = view;
  const { spendableSat } = snapshot.onchain;
  const connected = snapshot.peers.some((peer) => peer.nodeId === nodeId && peer.state === 'connected');
  const [fields, setFields] = useState<PeerFields>(() => startingFields(view, nodeId));
  const [typed, setTyped] = useState('');
  const [typedFeerate, setTypedFeerate] = useState('');
  const [quoted, setQuoted] = useState<QuotedChannel>();
  const reach = useReachedPeer(connected ? nodeId : fields);
  const wrong = wrongAmount(typed) ?? tooMuch(parseSat(typed) ?? 0n, spendableSat);
  const amountSat = wrong === undefined ? parseSat(typed) : undefined;
  const feerate = readFeerate(typedFeerate);
  const look = useAction(async () => {
    const peerNodeId = await reach.run();
    if (peerNodeId === undefined || amountSat === undefined) return;
    const opening = { nodeId: peerNodeId, amountSat, ...feerate };
    setQuoted({ opening, quote: await wallet.quoteOpenChannel(opening) });
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
          hint={`You can spend ${satText(spendableSat)} on-chain.`}
          wrong={wrong}
        />
        <FeerateField value={typedFeerate} onInput={setTypedFeerate} />
        <p class="muted">
          The coins move into the channel; the network fee comes on top. You get them back by payments or by closing it.
          A small part stays reserved while it is open.
        </p>
        <ActionButton action={look} disabled={amountSat === undefined || feerate === undefined}>
          {look.busy ? 'Connecting…' : 'Continue'}
        </ActionButton>
        {reach.wrong !== undefined && (
          <p class="wrong" role="alert">
            {reach.wrong}
          </p>
        )}
        {quoted !== undefined && (
          <ConfirmChannel quoted={quoted} onQuoted={setQuoted} onClose={() => setQuoted(undefined)} />
        )}
      </section>
    </Page>
  );
}

function startingFields({ world }: WalletView, nodeId: string): PeerFields {
  if (world !== undefined && (nodeId === '' || nodeId === world.peer.nodeId)) return worldPeerFields(world);
  return { ...NO_PEER, nodeId };
}

interface ReachedPeer {
  /** Connects where that is needed; answers the peer's node id, or nothing where the fields are `wrong`. */
  readonly run: () => Promise<string | undefined>;
  readonly wrong: string | undefined;
}

/** A peer by its node id where it is connected, otherwise by what is typed. */
function useReachedPeer(peer: string | PeerFields): ReachedPeer {
  const { wallet } = useWallet();
  const untilConnected = useUntilConnected();
  const [wrong, setWrong] = useState<string>();
  const run = async (): Promise<string | undefined> => {
    if (typeof peer === 'string') return peer;
    const read = readPeer(peer);
    setWrong(typeof read === 'string' ? read : undefined);
    if (typeof read === 'string') return undefined;
    await wallet.connectPeer(read);
    await untilConnected(read.nodeId);
    return read.nodeId;
  };
  return { run, wrong };
}
