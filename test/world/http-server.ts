import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';

/** What a handler answers: a body with its type. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly type: string;
  readonly body: string | Uint8Array;
}

export const CORS: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, POST, OPTIONS',
  'Access-Control-Allow-Headers': '*',
  'Access-Control-Expose-Headers': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

const MAX_BODY_BYTES = 4_000_000;

export function text(status: number, body: string): Reply {
  return { status, type: 'text/plain', body };
}

export function json(status: number, value: unknown): Reply {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}

/** A server of answers with CORS; `handle` may also answer by itself and return undefined. */
export function replyServer(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<Reply | undefined>,
): Server {
  return createServer((request, response) => {
    if (request.method === 'OPTIONS') {
      response.writeHead(204, CORS).end();
      return;
    }
    handle(request, response).then(
      (reply) => reply && response.writeHead(reply.status, { ...CORS, 'Content-Type': reply.type }).end(reply.body),
      (error: unknown) => response.writeHead(500, CORS).end(String(error)),
    );
  });
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new Error('request body too large');
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Listens on the loopback interface; resolves with the port, a free one for 0. */
export function listen(server: NetServer, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

export function close(server: NetServer): Promise<void> {
  if ('closeAllConnections' in server) (server as Server).closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
