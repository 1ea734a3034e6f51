import * as ldk from 'lightningdevkit';
import * as bindings from 'lightningdevkit/bindings.mjs';
import { CommonBase } from 'lightningdevkit/structs/CommonBase.mjs';

export { ldk };

/** Frees the clone of a monitor that Persist was given; left to the garbage collector, wasm memory grows without end. */
export function freeMonitor(monitor: ldk.ChannelMonitor): void {
  freeNow(monitor, frees.ChannelMonitor_free);
}

export function freeRecord(record: ldk.Record): void {
  freeNow(record, frees.Record_free);
}

/** Runs a callback of LDK's. An exception that unwinds through wasm leaves LDK's locks held for good, so none may. */
export function guarded<T>(fallback: () => T, onError: (error: unknown) => void, callback: () => T): T {
  try {
    return callback();
  } catch (error) {
    onError(error);
    return fallback();
  }
}

export function optionU64(value: bigint | undefined): ldk.Option_u64Z {
  return value === undefined ? ldk.Option_u64Z.constructor_none() : ldk.Option_u64Z.constructor_some(value);
}

export function u64Of(option: ldk.Option_u64Z): bigint | undefined {
  return option instanceof ldk.Option_u64Z_Some ? option.some : undefined;
}

export function apiErrorText(error: ldk.APIError): string {
  const name = error.constructor.name.replace('APIError_', '');
  return 'err' in error && typeof error.err === 'string' ? `${name}: ${error.err}` : name;
}

/** Set bits of a feature vector, lowest first. */
export function featureBits(littleEndianFlags: Uint8Array): readonly number[] {
  const bits: number[] = [];
  littleEndianFlags.forEach((byte, i) => {
    for (let bit = 0; bit < 8; bit++) if ((byte >> bit) & 1) bits.push(i * 8 + bit);
  });
  return bits;
}

/** Runs what loads the wasm, without the versions that the bindings print while they start. */
export async function withoutGreeting(initialize: () => Promise<void>): Promise<void> {
  const log = console.log;
  console.log = () => undefined;
  try {
    await initialize();
  } finally {
    console.log = log;
  }
}

type Free = (pointer: bigint) => void;

/** Functions that the package's declarations leave out. */
const frees = bindings as unknown as { readonly ChannelMonitor_free: Free; readonly Record_free: Free };
const wrapper = CommonBase as unknown as {
  get_ptr_of(object: CommonBase): bigint;
  set_null_skip_free(object: CommonBase): void;
};

/** Whether a callback's argument is there: an absent object comes as a wrapper around a null pointer. */
export function isPresent<T extends CommonBase>(object: T | null): object is T {
  return object !== null && (wrapper.get_ptr_of(object) & ~1n) !== 0n;
}

function freeNow(object: CommonBase, free: Free): void {
  const pointer = wrapper.get_ptr_of(object);
  if (pointer === 0n) return;
  wrapper.set_null_skip_free(object);
  free(pointer);
}
