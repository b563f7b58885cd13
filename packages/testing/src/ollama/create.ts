import { requireForm } from './blobs.ts';
import type { InstalledModel } from './catalog.ts';
import { HttpFailure } from './http-failure.ts';
import { digestOf, type Layer, layer, layersOf } from './layers.ts';
import { parseModelName } from './model-name.ts';
import { answerProgress, type ProgressRecords } from './progress.ts';
import { pullRecords } from './pull.ts';
import { RequestBody } from './request-body.ts';
import type { Incoming, Outgoing, World } from './world.ts';

/** Ollama's types of quantization, in the capitals it prints. */
const quantizations = ['Q4_K_M', 'Q4_K_S', 'Q8_0', 'F16', 'BF16', 'F32'];

interface Plan {
  name: string;
  from: string;
  files: readonly (readonly [path: string, digest: string])[];
  quantize: string | undefined;
  /** What is written into a layer of its own. */
  additions: Readonly<Record<string, unknown>>;
}

/** `POST /api/create`: early mistakes are 400, later ones are lines. */
export async function create(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = RequestBody.parse(await incoming.readText(), 'CreateRequest');
  const plan = readPlan(body);
  return answerProgress(incoming, body, createRecords(world, plan, incoming.signal));
}

function readPlan(body: RequestBody): Plan {
  const bad = (message: string) => new HttpFailure(400, message, { fromRunner: true });
  const name = body.string('model') || body.string('name') || '';
  if (!parseModelName(name)) throw bad('invalid model name');
  const files = Object.entries(body.object('files') ?? {}).map(([path, digest]) => {
    if (path.startsWith('/') || path.split('/').includes('..')) throw bad('file path must be relative');
    requireForm(String(digest));
    return [path, String(digest)] as const;
  });
  const from = body.string('from') ?? '';
  if (from === '' && body.any('files') === undefined) throw bad("neither 'from' or 'files' was specified");
  if (from === '' && !files.some(([path]) => /\.(gguf|safetensors|bin)$/.test(path))) {
    throw bad('no files provided to convert');
  }
  const quantize = (body.string('quantize') ?? '').toUpperCase();
  if (quantize !== '' && !quantizations.includes(quantize)) throw bad('unknown type');
  const additions = Object.fromEntries(
    ['system', 'template', 'license', 'parameters', 'messages', 'adapters']
      .map((member) => [member, body.any(member)] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  return { name, from, files, quantize: quantize || undefined, additions };
}

async function* createRecords(world: World, plan: Plan, signal: AbortSignal): ProgressRecords {
  const base = plan.from === '' ? undefined : yield* baseModel(world, plan.from, signal);
  const layers: Layer[] = base ? [...layersOf(base)] : yield* converted(world, plan);
  if (base) {
    for (const { digest } of layers.slice(0, 1)) yield { status: `using existing layer ${digest}` };
  }
  if (Object.keys(plan.additions).length > 0) {
    const text = JSON.stringify(plan.additions);
    const added = layer(text, text.length);
    const existed = world.blobs.has(added.digest);
    world.blobs.put(added.digest, added.sizeBytes);
    layers.push(added);
    yield { status: `${existed ? 'using existing' : 'creating new'} layer ${added.digest}` };
  }
  yield { status: 'writing manifest' };
  world.catalog.create(plan.name, base, {
    layers,
    quantization: plan.quantize,
    sizeBytes: layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    nowMs: world.wallTime(world.clock.now()).epochMs,
    system: typeof plan.additions['system'] === 'string' ? plan.additions['system'] : undefined,
  });
  yield { status: 'success' };
}

/** The model to start from; one that is not installed is pulled first. */
async function* baseModel(
  world: World,
  from: string,
  signal: AbortSignal,
): AsyncGenerator<{ status: string }, InstalledModel, void> {
  const installed = world.catalog.find(from);
  if (installed) return installed;
  for await (const record of pullRecords(world, from, signal)) {
    if (record.status !== 'success') yield record;
  }
  return world.catalog.find(from) as InstalledModel;
}

/** The layers made of uploaded files. */
async function* converted(
  world: World,
  { files, quantize }: Plan,
): AsyncGenerator<{ status: string; digest?: string; total?: number; completed?: number }, Layer[], void> {
  const layers: Layer[] = [];
  for (const [path, digest] of files) {
    if (!world.blobs.has(digest)) throw new HttpFailure(400, `blob "${digest}" not found`);
    const isGguf = path.endsWith('.gguf');
    yield { status: isGguf ? 'parsing GGUF' : 'converting model' };
    if (isGguf && !world.blobs.isGguf(digest)) {
      throw new HttpFailure(400, 'supplied file was not in GGUF format');
    }
    const total = world.blobs.sizeOf(digest);
    if (!quantize) {
      layers.push({ digest, sizeBytes: total });
      yield { status: `using existing layer ${digest}` };
      continue;
    }
    const status = `quantizing F16 model to ${quantize}`;
    // The digest of what does not exist yet is nineteen zeros.
    const nothing = '0'.repeat(19);
    yield { status, digest: nothing, total, completed: Math.ceil(total / 2) };
    yield { status, digest: nothing, total, completed: total };
    yield { status: 'verifying conversion' };
    const made = { digest: digestOf(`${digest} ${quantize}`), sizeBytes: Math.ceil(total / 4) };
    world.blobs.put(made.digest, made.sizeBytes);
    layers.push(made);
    yield { status: `creating new layer ${made.digest}` };
  }
  return layers;
}
