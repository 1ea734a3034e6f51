import { ldk, withoutGreeting } from '../world/ldk-bindings.ts';
import { FakeChain } from './fake-chain.ts';
import { serveJobs, wipe, type ColdResult } from './jobs.ts';
import { LdkPair } from './ldk-pair.ts';
import { LdkSide } from './ldk-side.ts';
import { LdkStore } from './ldk-store.ts';
import { measurePayments, type PaymentsResult } from './payments.ts';

const NAMES = ['ldk-a', 'ldk-b'] as const;

/** Stays reachable, so that a memory measurement counts it. */
let kept: LdkPair | LdkSide | undefined;

let memory: WebAssembly.Memory | undefined;

async function payments(count: number, inFlight: number): Promise<PaymentsResult> {
  await loadWasm();
  for (const name of NAMES) await wipe(name);
  const pair = await LdkPair.open(NAMES);
  kept = pair;
  const result = await measurePayments(pair, count, inFlight);
  await pair.flush();
  return result;
}

async function cold(): Promise<ColdResult> {
  const began = performance.now();
  await loadWasm();
  const store = await LdkStore.open(NAMES[0]);
  const stored = await store.load();
  const side = new LdkSide({ seedByte: 1, chain: new FakeChain(), store, stored, written: () => undefined });
  if (side.objects.manager.list_channels().length !== 1) throw new Error('the channel is gone after a restart');
  kept = side;
  return { engineMs: performance.now() - began };
}

/** The bindings hide the instance, so its memory is picked up while they start it. */
async function loadWasm(): Promise<void> {
  const { instantiateStreaming } = WebAssembly;
  WebAssembly.instantiateStreaming = async (...source) => {
    const started = await instantiateStreaming(...source);
    const exported = started.instance.exports['memory'];
    if (exported instanceof WebAssembly.Memory) memory = exported;
    return started;
  };
  try {
    await withoutGreeting(() => ldk.initializeWasmWebFetch('/ldk.wasm'));
  } finally {
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}

serveJobs({
  payments: ({ count, inFlight }) => payments(count, inFlight),
  cold,
  wasmBytes: () => Promise.resolve(kept === undefined ? Number.NaN : (memory?.buffer.byteLength ?? Number.NaN)),
});
