import { transferHandlers } from 'comlink';
import { GlowwormError } from '../engine/primitives/errors.ts';
import type { ApiError } from './api.ts';

interface WireError extends ApiError {
  readonly kind: 'glowwormError';
}

/**
 * Replaces Comlink's handler of thrown values, which keeps no `code`: to be called on both sides before the first message.
 * `translate` sees every value before it leaves this side. What is not a `GlowwormError` then travels as Comlink would send
 * it, so that a page that uses Comlink for its own workers loses nothing.
 */
export function replaceThrowHandler(translate: (thrown: unknown) => unknown): void {
  const original = originalThrowHandler();
  transferHandlers.set('throw', {
    canHandle: (value: unknown): value is unknown => original.canHandle(value),
    serialize(marked: { readonly value: unknown }) {
      const value = translate(marked.value);
      if (value instanceof GlowwormError) return [toWire(value), []];
      return original.serialize({ ...marked, value });
    },
    deserialize(wire: unknown): never {
      if (isWireError(wire)) throw fromApiError(wire);
      original.deserialize(wire);
      throw internalError(wire);
    },
  });
}

/**
 * The error as it may leave the worker. Of a foreign exception only its name goes out: its message and its stack can hold
 * what it was working on.
 */
export function toGlowwormError(thrown: unknown): GlowwormError {
  return thrown instanceof GlowwormError ? thrown : internalError(thrown);
}

/** The plain form of an error, for a field of a snapshot or for `postMessage`. */
export function toApiError(error: GlowwormError): ApiError {
  return { code: error.code, message: error.message, details: error.details };
}

/** The error again, on the other side. */
export function fromApiError(error: ApiError): GlowwormError {
  return new GlowwormError(error.code, error.message, error.details);
}

function internalError(thrown: unknown): GlowwormError {
  const name = thrown instanceof Error ? thrown.name : typeof thrown;
  return new GlowwormError(
    'InternalError',
    'The wallet made a mistake of its own and did not do what was asked. Reload it; if that does not help, export the log and report it.',
    { name },
  );
}

function toWire(error: GlowwormError): WireError {
  return { kind: 'glowwormError', ...toApiError(error) };
}

function isWireError(value: unknown): value is WireError {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'glowwormError';
}

type ThrowHandler = {
  canHandle(value: unknown): boolean;
  serialize(value: unknown): [unknown, Transferable[]];
  deserialize(value: unknown): unknown;
};

const ORIGINAL: ThrowHandler | undefined = transferHandlers.get('throw');

/** Comlink's own, also after a replacement: the marker that `canHandle` looks for is private to it. */
function originalThrowHandler(): ThrowHandler {
  if (ORIGINAL === undefined) throw new GlowwormError('InvariantBroken', 'Comlink has no handler of thrown values');
  return ORIGINAL;
}
