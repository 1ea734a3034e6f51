import { serveJobs } from './jobs.ts';
serveJobs({ payments: () => Promise.reject(new Error('not yet')), cold: () => Promise.reject(new Error('not yet')), kept: () => Promise.resolve(0) });
