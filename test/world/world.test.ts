import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ByteSocket } from './byte-socket.ts';
import { close, listen } from './http-server.ts';
import { LdkNode } from './ldk-node.ts';
import { World } from './world.ts';

const ACT_BYTES = 50;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(async () => {
  await world.stop();
});

describe('World', () => {
  it('starts with a balanced private channel between alice and bob', () => {
    const [channel] = world.alice.channels();
    expect(channel).toMatchObject({ peer: world.bob.id, sats: 10_000_000, usable: true, channelType: [12, 22] });
    expect(channel?.outboundMsat).toBe(channel?.inboundMsat);
  });

  it('lets alice pay bob and bob pay alice', async () => {
    await paid(world.alice, () => world.alice.pay(world.bob.invoice({ msat: 25_000_000, description: 'tea' })));
    await paid(world.bob, () => world.bob.pay(world.alice.invoice(), 3_000_000));
    await paid(world.bob, () => world.bob.keysend(world.alice.id, 7_000));
    const received = world.alice.events().filter((event) => event.kind === 'PaymentClaimed');
    expect(received.map((event) => event.msat)).toEqual([3_000_000, 7_000]);
  });

  it('fails a payment that its receiver held and gave back', async () => {
    world.bob.reactions.holding = true;
    const since = world.alice.events().length;
    world.alice.pay(world.bob.invoice({ msat: 1_000_000 }));
    await world.until('the payment is held', () => world.bob.reactions.heldPayments === 1);
    expect(world.bob.release('fail')).toBe(1);
    expect((await world.alice.event('PaymentFailed', since)).reason).toContain('RecipientRejected');
  });

  it('brings alice back from her stored bytes, and bob back to her', async () => {
    const before = world.alice.channels()[0]?.outboundMsat;
    world.alice.restart();
    await world.until('bob is back', () => world.alice.channels()[0]?.usable && world.bob.channels()[0]?.usable);
    expect(world.alice.channels()[0]?.outboundMsat).toBe(before);
    await paid(world.alice, () => world.alice.pay(world.bob.invoice({ msat: 2_000_000 })));
  });

  it('reaches bob through alice from a third node, over a channel without a confirmation', async () => {
    const carol = await LdkNode.start(world.chain, { name: 'carol', changes: world.changes });
    try {
      await world.fund(carol.wallet.address, 50_000_000);
      await carol.sockets.connectTcp(world.alice.id, world.ports.aliceTcp);
      await world.until('carol is connected', () => carol.isConnectedTo(world.alice.id));
      world.alice.reactions.zeroConf = true;
      carol.open({ nodeId: world.alice.id, sats: 1_000_000, scidPrivacy: true });
      await world.until('the channel is usable', () => carol.channels()[0]?.usable);
      expect(carol.channels()[0]?.channelType).toEqual([12, 22, 46]);
      await paid(carol, () => carol.pay(world.bob.invoice({ msat: 5_000_000 })));
      expect((await world.alice.event('PaymentForwarded')).feeMsat).toBe(1_000);

      await world.mine(6);
      carol.forceClose(carol.channels()[0]?.channelId ?? '');
      expect((await world.alice.event('ChannelClosed')).reason).toBe('CounterpartyForceClosed');
      expect(world.bob.channels()).toHaveLength(1);
    } finally {
      world.alice.reactions.zeroConf = false;
      await carol.stop();
    }
  });

  it('takes the nodes along in a reorganization', async () => {
    const txid = await world.fund(world.bob.wallet.address, 40_000);
    const fork = world.chain.height - 1;
    expect(await world.reorg(1)).toBe(fork + 2);
    expect([world.alice.height, world.bob.height]).toEqual([fork + 2, fork + 2]);
    expect(world.chain.find(txid)?.at).toBeUndefined();
    await world.mine();
    expect(world.chain.find(txid)?.at?.block.height).toBe(world.chain.height);
    await paid(world.alice, () => world.alice.pay(world.bob.invoice({ msat: 1_000_000 })));
  });

  it('closes a channel cooperatively and pays both sides', async () => {
    const since = world.bob.events().length;
    const coins = world.bob.wallet.balanceSats();
    world.bob.close(world.bob.channels()[0]?.channelId ?? '');
    await world.bob.event('ChannelClosed', since);
    await world.alice.event('ChannelClosed', since);
    await world.mine(7);
    await world.bob.event('SpendableOutputs', since);
    await world.until('the sweep is in the mempool', () => world.chain.mempoolTxs().length > 0);
    await world.mine();
    expect(world.bob.wallet.balanceSats()).toBeGreaterThan(coins + 4_000_000);
  });
});

describe('WebSocketProxy', () => {
  it.each([
    ['v1', () => `/v1/127_0_0_1/${world.ports.aliceTcp}`],
    ['host and port', () => `/127.0.0.1:${world.ports.aliceTcp}`],
  ])("carries alice's answer to act one, %s form", async (_, path) => {
    const socket = new ByteSocket(`${world.proxy.url}${path()}`);
    await socket.opened;
    socket.send(await actOne());
    const answer = await socket.bytes(ACT_BYTES);
    expect(answer).toHaveLength(ACT_BYTES);
    expect(answer[0]).toBe(0);
    socket.close();
  });

  it('reaches nothing but this machine', async () => {
    for (const target of ['/v1/example_com/9735', '/10.0.0.1:9735', '/127.0.0.1:0', '/%', '/']) {
      await expect(new ByteSocket(`${world.proxy.url}${target}`).opened).rejects.toThrow('403');
    }
  });

  it('refuses connections when it is told to', async () => {
    world.proxy.fault = { kind: 'refuse' };
    await expect(throughProxy().opened).rejects.toThrow('503');
    world.proxy.fault = { kind: 'none' };
  });

  it('stays silent when it is told to, until its connections are dropped', async () => {
    world.proxy.fault = { kind: 'silent' };
    const socket = throughProxy();
    await socket.opened;
    world.proxy.fault = { kind: 'none' };
    socket.send(await actOne());
    const other = throughProxy();
    await other.opened;
    other.send(await actOne());
    await other.bytes(ACT_BYTES);
    expect(socket.received).toHaveLength(0);
    world.proxy.drop();
    await Promise.all([socket.closed, other.closed]);
  });

  it('breaks a connection after so many bytes', async () => {
    const socket = throughProxy();
    await socket.opened;
    world.proxy.fault = { kind: 'limit', direction: 'toClient', unit: 'bytes', count: 20 };
    socket.send(await actOne());
    await socket.closed;
    world.proxy.fault = { kind: 'none' };
    expect(socket.received).toHaveLength(20);
  });

  it('breaks a connection after so many messages', async () => {
    const socket = throughProxy();
    await socket.opened;
    world.proxy.fault = { kind: 'limit', direction: 'toPeer', unit: 'messages', count: 2 };
    const act = await actOne();
    socket.send(act.subarray(0, 20));
    socket.send(act.subarray(20, 30));
    socket.send(act.subarray(30));
    await socket.closed;
    world.proxy.fault = { kind: 'none' };
    expect(socket.received).toHaveLength(0);
  });
});

describe("LdkNode's WebSocket", () => {
  it('answers act one however it is cut into frames', async () => {
    const socket = new ByteSocket(world.addresses.peer.wsUrl);
    await socket.opened;
    const act = await actOne();
    socket.send(act.subarray(0, 13));
    socket.send(act.subarray(13));
    expect(await socket.bytes(ACT_BYTES)).toHaveLength(ACT_BYTES);
    socket.close();
  });
});

/** Runs a payment and waits until the payer has its preimage and both sides have revoked. */
async function paid(payer: LdkNode, pay: () => string): Promise<void> {
  const since = payer.events().length;
  const hash = pay();
  const ended = await world.until('the payment ends', () =>
    payer.events(since).find((event) => event.kind === 'PaymentPathSuccessful' || event.kind === 'PaymentFailed'),
  );
  expect(ended.kind).toBe('PaymentPathSuccessful');
  expect(await payer.event('PaymentSent', since)).toMatchObject({ hash });
}

function throughProxy(): ByteSocket {
  return new ByteSocket(`${world.proxy.url}/v1/127_0_0_1/${world.ports.aliceTcp}`);
}

/** The first handshake message of a fresh node that believes to be talking with alice. */
async function actOne(): Promise<Buffer> {
  let accepted: Socket | undefined;
  const trap = createServer();
  const bytes = new Promise<Buffer>((resolve) => {
    trap.once('connection', (socket) => {
      accepted = socket;
      socket.once('data', resolve);
    });
  });
  const port = await listen(trap);
  await world.bob.sockets.connectTcp(world.alice.id, port);
  const act = await bytes;
  accepted?.destroy();
  await close(trap);
  expect(act).toHaveLength(ACT_BYTES);
  return act;
}
