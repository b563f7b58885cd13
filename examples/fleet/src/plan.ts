/** A model server of the fleet. */
export interface ServerPlan {
  name: string;
  models: readonly string[];
  /** How long it takes to bring a model into memory. */
  loadMs: number;
}

/** Who stands where. Each model is on two servers, so that any one of them may go. */
export const servers: readonly ServerPlan[] = [
  { name: 'gpu-1', models: ['small', 'medium'], loadMs: 800 },
  { name: 'gpu-2', models: ['medium', 'large'], loadMs: 1800 },
  { name: 'gpu-3', models: ['small', 'large'], loadMs: 3000 },
];

/** The gateways of the two examples, on an Express and on a Fastify host: the same kit behind another door. */
export const kits = [
  { name: 'kit-express', program: '../../express-gateway/src/main.ts' },
  { name: 'kit-fastify', program: '../../fastify-gateway/src/main.ts' },
] as const;

export const models: readonly string[] = [...new Set(servers.flatMap((server) => server.models))];

/** Answers at once per model and server. Each kit is given its half. */
export const slotsPerModel = 2;
/** Below what a good GPU does, so that there is something to see. */
export const tokensPerSecond = 40;
/** Longest answer. */
export const maxTokens = 80;
/** People who ask, one question after another. More than there are slots: somebody always waits. */
export const userCount = 18;
