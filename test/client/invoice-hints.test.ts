import { describe, expect, it } from 'vitest';
import { routeHints } from '../../worker/client/invoice-hints.ts';
import type { OpenChannel } from '../../worker/engine/channel/channel-state.ts';
import { newEntry, type ChannelEntry } from '../../worker/engine/manager/channel-entry.ts';
import { shortChannelId } from '../../worker/engine/wire/short-channel-id.ts';
import { openPair } from '../engine/channel/party.ts';

const { fundee } = openPair();
const HEIGHT = 200;
const TERMS = { feeBaseMsat: 5, feeProportionalMillionths: 6, cltvExpiryDelta: 7 };

interface Given {
  readonly alias?: bigint;
  readonly connection?: ChannelEntry['connection'];
  readonly frozen?: string;
  readonly forwarding?: ChannelEntry['forwarding'];
  readonly state?: Partial<OpenChannel>;
}

/** A channel that is ready, with changes. */
function channel({
  alias = 1n,
  connection = 'connected',
  frozen,
  forwarding = TERMS,
  state = {},
}: Given): ChannelEntry {
  const open: OpenChannel = { ...fundee.state, counterpartyAlias: alias, ...state };
  const fixed = { key: `${alias}`, nodeId: '02', signer: fundee.signer, state: open, connection };
  return { ...newEntry(fixed), frozen, forwarding };
}

const scids = (...channels: readonly Given[]): readonly (bigint | undefined)[] =>
  routeHints(channels.map(channel), HEIGHT).map(([hop]) => hop?.shortChannelId);

describe('the hints of an invoice', () => {
  it('name the peer, its alias for the channel and its terms', () => {
    expect(routeHints([channel({ alias: 9n })], HEIGHT)).toEqual([
      [{ nodeId: fundee.state.params.counterpartyNodeId, shortChannelId: 9n, ...TERMS }],
    ]);
  });

  it('are there while the peer is not', () => {
    expect(scids({ alias: 1n, connection: 'disconnected' }, { alias: 2n, connection: 'reestablishing' })).toEqual([
      1n,
      2n,
    ]);
  });

  it('begin with the peers that are there', () => {
    expect(scids({ alias: 1n, connection: 'disconnected' }, { alias: 2n })).toEqual([2n, 1n]);
  });

  it('assume terms that no payer is refused for, where the peer has told none', () => {
    const untold = { ...channel({ connection: 'disconnected' }), forwarding: undefined };
    expect(routeHints([untold], HEIGHT)[0]?.[0]).toMatchObject({
      feeBaseMsat: 1000,
      feeProportionalMillionths: 1000,
      cltvExpiryDelta: 144,
    });
  });

  it('use the place in the chain where the peer gave no alias, and nothing before there is one', () => {
    expect(scids({ alias: 0n })).toEqual([
      shortChannelId({
        blockHeight: 100,
        transactionIndex: 1,
        outputIndex: fundee.state.params.fundingOutputIndex,
      }),
    ]);
    const funding = { kind: 'unconfirmed', transaction: new Uint8Array(0) } as const;
    expect(scids({ alias: 0n, state: { funding } })).toEqual([]);
  });

  it('leave out a channel whose funding has left the chain, or is not deep again', () => {
    const unconfirmed = { kind: 'unconfirmed', transaction: new Uint8Array(0) } as const;
    const again = { kind: 'confirmed', height: HEIGHT, transactionIndex: 1, transaction: new Uint8Array(0) } as const;
    expect(scids({ alias: 1n, state: { funding: unconfirmed } }, { alias: 2n, state: { funding: again } })).toEqual([]);
    const trusted = { ...fundee.state.params, minimumDepth: 0 };
    expect(scids({ alias: 3n, state: { funding: unconfirmed, params: trusted } })).toEqual([3n]);
  });

  it('leave out channels that are not ready, closing or frozen', () => {
    const terms = { raisedToSat: 0n, negotiation: {} };
    const shutdown = { kind: 'holder', holderScript: new Uint8Array(22), sent: true, terms } as const;
    expect(scids({ state: { counterpartyReady: false } }, { state: { shutdown } }, { frozen: 'stopped' })).toEqual([]);
  });

  it('are three at most', () => {
    expect(scids({ alias: 1n }, { alias: 2n }, { alias: 3n }, { alias: 4n })).toHaveLength(3);
  });
});
