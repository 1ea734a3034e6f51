import type { JSX } from 'preact';
import type { LightningBalance, OnchainBalance, WalletSnapshot } from '../../../worker/client/api.ts';
import { grouped, msatText, satText } from '../format.ts';
import { Bar, type BarPart } from './bar.tsx';
import { Facts } from './facts.tsx';

/** All that is ours, and where it is: the parts make up the whole. */
export function TotalCard({ snapshot }: { readonly snapshot: WalletSnapshot }): JSX.Element {
  const { totalMsat, lightning, onchain } = snapshot;
  const channelsMsat = lightning.sendableMsat + lightning.reservedMsat + lightning.pendingMsat;
  const coinsSat = onchain.spendableSat + onchain.reservedSat + onchain.unconfirmedSat + onchain.foundSat;
  return (
    <section class="card total" aria-label="Total balance">
      <p class="balance-label">All that is yours</p>
      <p class="balance-amount">
        {grouped(totalMsat / 1000n)} <small>sat</small>
      </p>
      <Facts
        facts={[
          ['In channels', someSat(channelsMsat / 1000n)],
          ['On-chain', someSat(coinsSat)],
          ['From closed channels', someSat(onchain.sweepingSat)],
          ['Payments under way there', someSat(onchain.maybeSat)],
        ]}
      />
      {onchain.maybeSat > 0n && (
        <p class="muted">Payments that were under way in a close come back to you, or have been made.</p>
      )}
    </section>
  );
}

const someSat = (sat: bigint): string => (sat === 0n ? '' : satText(sat));

/** What can be spent over Lightning, and where the rest of the channels' money is. */
export function LightningCard({ balance }: { readonly balance: LightningBalance }): JSX.Element {
  const parts: readonly BarPart[] = [
    { name: 'Can send', look: 'send', msat: balance.sendableMsat },
    { name: 'Reserved', look: 'reserved', msat: balance.reservedMsat },
    { name: 'Pending', look: 'pending', msat: balance.pendingMsat },
    { name: 'Can receive', look: 'receive', msat: balance.receivableMsat },
  ];
  return (
    <section class="card balance" aria-label="Lightning balance">
      <p class="balance-label">You can send</p>
      <p class="balance-amount">
        {grouped(balance.sendableMsat / 1000n)} <small>sat</small>
      </p>
      <Bar parts={parts} />
      <dl class="legend">
        {parts.map(({ name, look, msat }) => (
          <div key={name}>
            <dt>
              <span class={`swatch look-${look}`} aria-hidden="true" />
              {name}
            </dt>
            <dd>{msatText(msat)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** The coins that are in no channel. None is in two lines. */
export function OnchainCard({ balance }: { readonly balance: OnchainBalance }): JSX.Element {
  const { spendableSat, unconfirmedSat, reservedSat } = balance;
  return (
    <section class="card" aria-label="On-chain balance">
      <Facts
        facts={[
          ['On-chain, to spend', <strong>{satText(spendableSat)}</strong>],
          ['Not confirmed yet', someSat(unconfirmedSat)],
          ['Kept for fees, fundings', someSat(reservedSat)],
        ]}
      />
    </section>
  );
}
