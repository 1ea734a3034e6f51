import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ldk, withoutGreeting } from './ldk-bindings.ts';

export * from './ldk-bindings.ts';

let loading: Promise<void> | undefined;

/** Loads LDK's wasm once per process. */
export function loadLdk(): Promise<void> {
  loading ??= load();
  return loading;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function unhex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

async function load(): Promise<void> {
  const wasm = await readFile(createRequire(import.meta.url).resolve('lightningdevkit/liblightningjs.wasm'));
  await withoutGreeting(() => ldk.initializeWasmFromBinary(wasm));
}
