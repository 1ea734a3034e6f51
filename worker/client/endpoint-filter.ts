import type { Endpoint } from 'comlink';
import { GlowwormError } from '../engine/primitives/errors.ts';
import { toApiError } from './endpoint-errors.ts';

/** The one method whose argument is a callback. */
const CALLBACK_METHOD = 'subscribe';

/**
 * Lets through what Comlink may see: calls of the methods in `allowed`, with plain values as arguments. Comlink itself
 * follows any path of property names from the exposed object, through prototypes to `Function` and so to arbitrary code; it
 * also sets properties, constructs and hands out further endpoints. All of that is answered with `CallRefused` here.
 */
export function filterEndpoint(endpoint: Endpoint, allowed: ReadonlySet<string>): Endpoint {
  const wrapped = new WeakMap<object, EventListener>();
  return {
    postMessage: (message: unknown, transfer?: Transferable[]) => endpoint.postMessage(message, transfer),
    addEventListener(type, listener) {
      const filtering = (event: Event): void => {
        const data: unknown = event instanceof MessageEvent ? event.data : undefined;
        if (isAllowed(data, allowed)) deliver(listener, event);
        else refuse(endpoint, data);
      };
      wrapped.set(listener, filtering);
      endpoint.addEventListener(type, filtering);
    },
    removeEventListener(type, listener) {
      const filtering = wrapped.get(listener);
      if (filtering !== undefined) endpoint.removeEventListener(type, filtering);
    },
    start: () => endpoint.start?.(),
  };
}

function deliver(listener: EventListenerOrEventListenerObject, event: Event): void {
  if (typeof listener === 'function') listener(event);
  else listener.handleEvent(event);
}

function isAllowed(data: unknown, allowed: ReadonlySet<string>): boolean {
  if (!isRecord(data) || data['type'] !== 'APPLY' || !isMessageId(data['id'])) return false;
  const { path, argumentList } = data;
  if (!Array.isArray(path) || path.length !== 1 || !Array.isArray(argumentList)) return false;
  const method: unknown = path[0];
  if (typeof method !== 'string' || !allowed.has(method)) return false;
  const isArgument = method === CALLBACK_METHOD ? isCallback : isPlain;
  return argumentList.every(isArgument);
}

function isPlain(argument: unknown): boolean {
  return isRecord(argument) && argument['type'] === 'RAW';
}

/** A port that Comlink wraps into a function which sends. */
function isCallback(argument: unknown): boolean {
  if (!isRecord(argument) || argument['type'] !== 'HANDLER') return false;
  return argument['name'] === 'proxy' && argument['value'] instanceof MessagePort;
}

/** Answers as Comlink would, so that the caller does not wait for ever. */
function refuse(endpoint: Endpoint, data: unknown): void {
  if (!isRecord(data) || !isMessageId(data['id'])) return;
  const error = new GlowwormError(
    'CallRefused',
    'The wallet has no such method, or it was called with something else than data.',
  );
  const value = { kind: 'glowwormError', ...toApiError(error) };
  endpoint.postMessage({ id: data['id'], type: 'HANDLER', name: 'throw', value });
}

function isMessageId(id: unknown): id is string {
  return typeof id === 'string' && id.length > 0 && id.length <= 100;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
