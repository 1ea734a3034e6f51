import { expect, it } from 'vitest';
import { BroadcastQueue } from '../../../worker/edges/chain/broadcast-queue.ts';

/** A server that answers when it is told to. */
class SlowServer {
  readonly sent: string[] = [];
  readonly #queue = new BroadcastQueue<string>();
  #answer: ((error?: Error) => void) | undefined;

  send(name: string): Promise<string> {
    return this.#queue.add(name, () => {
      this.sent.push(name);
      return new Promise((resolve, reject) => {
        this.#answer = (error) => (error === undefined ? resolve(`${name} is in`) : reject(error));
      });
    });
  }

  /** Answers so many requests, one after the other. */
  async answer(count: number, error?: Error): Promise<void> {
    for (let request = 0; request < count; request++) {
      this.#answer?.(error);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}

const sendAll = (server: SlowServer, ...names: readonly string[]): readonly Promise<string>[] =>
  names.map((name) => server.send(name));

it('sends one after the other, in order', async () => {
  const server = new SlowServer();
  const answers = sendAll(server, 'parent', 'child');
  await server.answer(0);
  await Promise.resolve();
  expect(server.sent).toEqual(['parent']);
  await server.answer(2);
  expect(server.sent).toEqual(['parent', 'child']);
  expect(await Promise.all(answers)).toEqual(['parent is in', 'child is in']);
});

it('does not send twice what waits, and answers whoever has asked', async () => {
  const server = new SlowServer();
  const answers = sendAll(server, 'a', 'b', 'b', 'c', 'b');
  await server.answer(0);
  await Promise.resolve();
  await server.answer(5);
  expect(server.sent).toEqual(['a', 'b', 'c']);
  expect(await Promise.all(answers)).toEqual(['a is in', 'b is in', 'b is in', 'c is in', 'b is in']);
});

it('sends again what has left, after what was never sent', async () => {
  const server = new SlowServer();
  void sendAll(server, 'a', 'b', 'c');
  await Promise.resolve();
  await server.answer(2);
  // The third is under way: it is asked for once more, not lost.
  void sendAll(server, 'a', 'b', 'c', 'close', 'its claim');
  await server.answer(6);
  expect(server.sent).toEqual(['a', 'b', 'c', 'close', 'its claim', 'a', 'b', 'c']);
});

it('goes on after an error', async () => {
  const server = new SlowServer();
  const [first, second] = sendAll(server, 'a', 'b');
  const failed = expect(first).rejects.toThrow('ours');
  await Promise.resolve();
  await server.answer(1, new Error('ours'));
  await server.answer(1);
  await failed;
  expect(await second).toBe('b is in');
});

it('remembers what has left, however much came after it', async () => {
  const server = new SlowServer();
  const names = Array.from({ length: 6_000 }, (_, index) => `${index}`);
  void sendAll(server, ...names);
  await Promise.resolve();
  await server.answer(names.length);
  void sendAll(server, 'busy', '0', 'new');
  await server.answer(3);
  expect(server.sent.slice(names.length)).toEqual(['busy', 'new', '0']);
});
