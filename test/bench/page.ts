import type { JobAnswer, JobRequest } from './jobs.ts';

/** What the driver calls in the page: a worker by its script, kept until it is ended. */
interface BenchPage {
  start(script: string): void;
  run(request: JobRequest): Promise<unknown>;
  /** Milliseconds from `new Worker` to the answer of a cold start, and what the worker answered. */
  cold(script: string): Promise<{ readonly ms: number; readonly answer: unknown }>;
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
      worker.onmessage = ({ data }: MessageEvent<JobAnswer>) =>
        'ok' in data ? resolve(data.ok) : reject(new Error(data.error));
      worker.postMessage(request);
    }),
  cold: async (script) => {
    const began = performance.now();
    bench.start(script);
    const answer = await bench.run({ job: 'cold' });
    return { ms: performance.now() - began, answer };
  },
  memory: async () => {
    const measuring = globalThis.performance as Performance & {
      measureUserAgentSpecificMemory(): Promise<{ bytes: number }>;
    };
    return (await measuring.measureUserAgentSpecificMemory()).bytes;
  },
  end: () => worker?.terminate(),
};

Object.assign(globalThis, { bench });
