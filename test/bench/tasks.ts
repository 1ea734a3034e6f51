const waiting: (() => void)[] = [];
const { port1, port2 } = new MessageChannel();
port1.onmessage = () => waiting.shift()?.();

/** Calls back in a task of its own, without the delay that nested timers get. */
export function soon(callback: () => void): void {
  waiting.push(callback);
  port2.postMessage(undefined);
}

export const task = (): Promise<void> => new Promise(soon);

/** Wakes whoever waits for a condition when something has happened: asking again and again would cost processor time. */
export class Activity {
  #waiting: (() => void)[] = [];

  /** Something happened; said in a task of its own, after all that follows from it at once. */
  readonly notify = (): void => soon(() => this.#waiting.splice(0).forEach((wake) => wake()));

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
