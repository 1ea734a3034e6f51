import { parseArgs } from 'node:util';
import { ControlServer } from './control.ts';
import { buildWallet, walletSite } from './wallet-site.ts';
import { World, type WorldPorts } from './world.ts';

const HELP = `npx tsx test/world/cli.ts [options]
  --wallet              build the reference wallet and serve it over the world
  --port N              port of the wallet's page (default: a free one)
  --control N           port of the control API
  --esplora N           port of the Esplora server
  --proxy N             port of the WebSocket-to-TCP proxy
  --tcp N, --ws N       ports of the peer
  --zero-conf           the peer accepts channels without a confirmation
  --without-bob         one LDK node only
  --mine-every SECONDS  mine a block from time to time (default: 60 with --wallet, never without)`;

const PORT_OPTIONS = {
  esplora: 'esplora',
  proxy: 'proxy',
  tcp: 'aliceTcp',
  ws: 'aliceWebSocket',
} as const satisfies Record<string, keyof WorldPorts>;

const { values } = parseArgs({
  options: {
    wallet: { type: 'boolean', default: false },
    port: { type: 'string' },
    control: { type: 'string' },
    esplora: { type: 'string' },
    proxy: { type: 'string' },
    tcp: { type: 'string' },
    ws: { type: 'string' },
    'zero-conf': { type: 'boolean', default: false },
    'without-bob': { type: 'boolean', default: false },
    'mine-every': { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else {
  await run().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  });
}

async function run(): Promise<void> {
  if (values.wallet) await buildWallet();
  const world = await World.start({
    ports: portsOf(),
    zeroConf: values['zero-conf'],
    withoutBob: values['without-bob'],
  });
  const control = new ControlServer(world);
  await control.listen(numberOf(values.control) ?? 0);
  const site = values.wallet ? walletSite(world, control.url) : undefined;
  await site?.listen(numberOf(values.port) ?? 0);
  // LDK's clock is the newest block's time, so without blocks its invoices would be born expired.
  const mineEverySeconds = numberOf(values['mine-every']) ?? (values.wallet ? 60 : 0);
  const miner = mineEverySeconds > 0 ? setInterval(() => void world.mine(1), mineEverySeconds * 1000) : undefined;

  console.log(JSON.stringify({ ...world.addresses, controlUrl: control.url, walletUrl: site?.url ?? null }));
  if (site !== undefined) console.log(`The wallet is at ${site.url} - end the world with Ctrl-C.`);

  const stop = async (): Promise<void> => {
    clearInterval(miner);
    await site?.stop();
    await control.stop();
    await world.stop();
    process.exit(0);
  };
  process.once('SIGINT', () => void stop());
  process.once('SIGTERM', () => void stop());
}

function portsOf(): Partial<WorldPorts> {
  const ports: { -readonly [K in keyof WorldPorts]?: number } = {};
  for (const option of ['esplora', 'proxy', 'tcp', 'ws'] as const) {
    const port = numberOf(values[option]);
    if (port !== undefined) ports[PORT_OPTIONS[option]] = port;
  }
  return ports;
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`not a number: ${text}`);
  return Number(text);
}
