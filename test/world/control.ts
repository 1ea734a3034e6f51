import type { IncomingMessage, Server } from 'node:http';
import { controlRoutes, type ControlRoute } from './control-routes.ts';
import { close, json, listen, readBody, type Reply, replyServer } from './http-server.ts';
import type { World } from './world.ts';

/** An HTTP API over the world: JSON in, JSON out, `{ error }` with status 400 or 404 for what cannot be done. */
export class ControlServer {
  readonly #routes: readonly ControlRoute[];
  readonly #server: Server;
  #port = 0;

  constructor(world: World) {
    this.#routes = controlRoutes(world);
    this.#server = replyServer((request) => this.#handle(request));
  }

  async listen(port = 0): Promise<number> {
    this.#port = await listen(this.#server, port);
    return this.#port;
  }

  stop(): Promise<void> {
    return close(this.#server);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async #handle(request: IncomingMessage): Promise<Reply> {
    const url = new URL(request.url ?? '/', 'http://control');
    const match = this.#routes.find(({ method, path }) => method === request.method && path.test(url.pathname));
    if (match === undefined) return json(404, { error: `no such command: ${request.method} ${url.pathname}` });
    try {
      const body = await readBody(request);
      const fields: unknown = body === '' ? Object.fromEntries(url.searchParams) : JSON.parse(body);
      const result = await match.run(match.path.exec(url.pathname)?.[1] ?? '', fieldsOf(fields));
      return json(200, result ?? {});
    } catch (error) {
      return json(400, { error: error instanceof Error ? error.message : String(error) });
    }
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('send a JSON object');
  return value as Readonly<Record<string, unknown>>;
}
