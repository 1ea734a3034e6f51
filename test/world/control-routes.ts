import { type Fields, oneOf, optionalNumber, optionalWord, switchedOn, wholeNumber, word } from './control-fields.ts';
import { CALM_FEES, type FeeEstimates } from './esplora.ts';
import type { EsploraFault } from './esplora-faults.ts';
import type { LdkNode } from './ldk-node.ts';
import type { ProxyFault } from './proxy.ts';
import type { World } from './world.ts';

export interface ControlRoute {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  /** `name` is the node's, in routes below `/nodes/:name`. */
  readonly run: (name: string, fields: Fields) => unknown;
}

/** Every command of the control API, with its fields; `README.md` beside this file lists them. */
export function controlRoutes(world: World): readonly ControlRoute[] {
  return [...chainRoutes(world), ...faultRoutes(world), ...nodeReadings(world), ...nodeCommands(world)];
}

function chainRoutes(world: World): ControlRoute[] {
  return [
    get('/state', () => stateOf(world)),
    get('/chain/rejections', () => world.chain.rejections),
    post('/mine', async (_, fields) => ({ height: await world.mine(optionalNumber(fields, 'blocks') ?? 1) })),
    post('/reorg', async (_, fields) => {
      const keepOut = fields['keepOut'] === true;
      return { height: await world.reorg(wholeNumber(fields, 'depth'), { keepOut }) };
    }),
    post('/fund', async (_, fields) => {
      const unconfirmed = fields['unconfirmed'] === true;
      return { txid: await world.fund(word(fields, 'address'), wholeNumber(fields, 'sats'), { unconfirmed }) };
    }),
    post('/fees', (_, fields) => {
      world.esplora.feeEstimates = feesOf(fields);
      return world.esplora.feeEstimates;
    }),
    post('/mempool/minimum', (_, fields) => {
      world.chain.mempoolMinimum = wholeNumber(fields, 'satPerVbyte');
    }),
  ];
}

function faultRoutes(world: World): ControlRoute[] {
  return [
    get('/esplora/requests', () => world.esplora.requests),
    post('/esplora/requests/reset', () => world.esplora.resetRequests()),
    post('/esplora/fault', (_, fields) => {
      world.esplora.faults.add(esploraFault(fields));
      return { waiting: world.esplora.faults.waiting };
    }),
    post('/esplora/faults/clear', () => world.esplora.faults.clear()),
    post('/esplora/packages', (_, fields) => {
      world.esplora.packages = switchedOn(fields);
    }),
    post('/proxy/fault', (_, fields) => {
      world.proxy.fault = proxyFault(fields);
      return world.proxy.fault;
    }),
    post('/proxy/drop', () => world.proxy.drop()),
  ];
}

function nodeReadings(world: World): ControlRoute[] {
  const reading = (what: string, read: (node: LdkNode, fields: Fields) => unknown): ControlRoute =>
    get(`/nodes/:name/${what}`, (name, fields) => read(world.node(name), fields));
  return [
    reading('channels', (node) => node.channels()),
    reading('balances', (node) => node.balances()),
    reading('peers', (node) => node.peers()),
    reading('events', (node, fields) => node.events(optionalNumber(fields, 'since') ?? 0)),
    reading('log', (node) => node.log),
    reading('wallet', ({ wallet }) => ({ address: wallet.address, sats: wallet.balanceSats() })),
  ];
}

function nodeCommands(world: World): ControlRoute[] {
  const command = (what: string, run: (node: LdkNode, fields: Fields) => unknown): ControlRoute =>
    post(`/nodes/:name/${what}`, (name, fields) => run(world.node(name), fields));
  return [
    command('invoice', (node, fields) => {
      const msat = optionalNumber(fields, 'msat');
      const expirySeconds = optionalNumber(fields, 'expirySeconds');
      const bolt11 = node.invoice({
        description: optionalWord(fields, 'description') ?? '',
        ...(msat !== undefined && { msat }),
        ...(expirySeconds !== undefined && { expirySeconds }),
      });
      return { bolt11 };
    }),
    command('pay', (node, fields) => ({
      paymentHash: node.pay(word(fields, 'bolt11'), optionalNumber(fields, 'msat')),
    })),
    command('keysend', (node, fields) => ({
      paymentHash: node.keysend(word(fields, 'nodeId'), wholeNumber(fields, 'msat')),
    })),
    command('open', (node, fields) => {
      const request = { nodeId: word(fields, 'nodeId'), sats: wholeNumber(fields, 'sats') };
      const pushMsat = optionalNumber(fields, 'pushMsat') ?? 0;
      const scidPrivacy = fields['scidPrivacy'] === true;
      return { temporaryChannelId: node.open({ ...request, pushMsat, scidPrivacy }) };
    }),
    command('close', (node, fields) => node.close(word(fields, 'channelId'))),
    command('force-close', (node, fields) => node.forceClose(word(fields, 'channelId'))),
    command('restart', (node) => node.restart()),
    command('tick', (node) => node.tick()),
    command('connect', (node, fields) =>
      node.sockets.connectTcp(word(fields, 'nodeId'), wholeNumber(fields, 'port'), optionalWord(fields, 'host')),
    ),
    command('disconnect', (node, fields) => node.disconnect(optionalWord(fields, 'nodeId'))),
    command('drop', (node) => node.sockets.drop()),
    command('zero-conf', (node, fields) => {
      node.reactions.zeroConf = switchedOn(fields);
    }),
    command('hold', (node, fields) => {
      node.reactions.holding = switchedOn(fields);
      return { held: node.reactions.heldPayments };
    }),
    command('claim-held', (node) => ({ claimed: node.release('claim') })),
    command('fail-held', (node) => ({ failed: node.release('fail') })),
  ];
}

function stateOf(world: World): object {
  const nodes = [...world.nodes.values()].map((node) => ({
    name: node.name,
    nodeId: node.id,
    height: node.height,
    address: node.wallet.address,
    onchainSats: node.wallet.balanceSats(),
    peers: node.peers().map((peer) => peer.nodeId),
    channels: node.channels().length,
    zeroConf: node.reactions.zeroConf,
    holding: node.reactions.holding,
    held: node.reactions.heldPayments,
  }));
  return {
    ...world.addresses,
    ports: world.ports,
    height: world.chain.height,
    tip: world.chain.tip.hash,
    mempool: world.chain.mempoolTxs().map((tx) => tx.txid()),
    mempoolMinimum: world.chain.mempoolMinimum,
    feeEstimates: world.esplora.feeEstimates,
    packages: world.esplora.packages,
    proxy: { fault: world.proxy.fault, connections: world.proxy.connections },
    esploraFaults: world.esplora.faults.waiting,
    nodes,
  };
}

/** `{ "estimates": { "1": 20, "6": 5 } }`, or nothing to go back to the calm ones. */
function feesOf(fields: Fields): FeeEstimates {
  const estimates = fields['estimates'];
  if (estimates === undefined) return CALM_FEES;
  if (typeof estimates !== 'object' || estimates === null) throw new Error('estimates is not an object');
  const entries = Object.entries(estimates);
  if (!entries.every(([target, rate]) => /^\d+$/.test(target) && typeof rate === 'number')) {
    throw new Error('estimates maps blocks to sat/vB');
  }
  return Object.fromEntries(entries);
}

function esploraFault(fields: Fields): EsploraFault {
  const path = optionalWord(fields, 'path') ?? '';
  // Compiled here too, so that a broken pattern is this caller's error.
  void new RegExp(path);
  const scope = { path, times: optionalNumber(fields, 'times') ?? 1 };
  const kind = oneOf(fields, 'kind', ['answer', 'drop', 'hang', 'delay']);
  switch (kind) {
    case 'drop':
    case 'hang':
      return { kind, ...scope };
    case 'delay':
      return { kind, ms: wholeNumber(fields, 'ms'), ...scope };
    case 'answer': {
      const body = optionalWord(fields, 'body') ?? '';
      const type = optionalWord(fields, 'type') ?? 'text/plain';
      return { kind, status: wholeNumber(fields, 'status'), body, type, ...scope };
    }
    default:
      return kind satisfies never;
  }
}

function proxyFault(fields: Fields): ProxyFault {
  const kind = oneOf(fields, 'kind', ['none', 'silent', 'refuse', 'limit']);
  if (kind !== 'limit') return { kind };
  const direction = oneOf(fields, 'direction', ['toPeer', 'toClient']);
  const unit = oneOf(fields, 'unit', ['bytes', 'messages']);
  return { kind, direction, unit, count: wholeNumber(fields, 'count') };
}

function get(path: string, run: ControlRoute['run']): ControlRoute {
  return { method: 'GET', path: patternOf(path), run };
}

function post(path: string, run: ControlRoute['run']): ControlRoute {
  return { method: 'POST', path: patternOf(path), run };
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(':name', '([a-z]+)')}/?$`);
}
