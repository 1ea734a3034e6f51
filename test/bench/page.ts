import type { JobRequest } from './jobs.ts';

/** What the driver calls in the page: a worker by its script, kept until it is ended. */
interface BenchPage {
  start(script: string): void;
  run(request: JobRequest): Promise<unknown>;
  memory(): Promise<number>;
  end(): void;
}

let worker: Worker | undefined;

const bench: BenchPage = {
  start: (script) => {
    worker = new Worker(script, { type: 'module' });
  },
  run: (request) =>
    new Promise((resolve, reject) => {
      if (worker === undefined) return reject(new Error('no worker'));
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data }: MessageEvent<{ ok?: unknown; error?: string }>) =>
        data.error === undefined ? resolve(data.ok) : reject(new Error(data.error));
      worker.postMessage(request);
    }),
  memory: async () => {
    const performance = globalThis.performance as Performance & {
      measureUserAgentSpecificMemory(): Promise<{ bytes: number }>;
    };
    return (await performance.measureUserAgentSpecificMemory()).bytes;
  },
  end: () => worker?.terminate(),
};

Object.assign(globalThis, { bench });
