import type { FakeModel } from '../types.ts';
import { digestOf, type Layer, layersOf } from './layers.ts';
import { canonicalName, fullName, type ModelName, parseModelName, shortName } from './model-name.ts';
import { hashText, randomText, seededRandom } from './random.ts';

/** A model that the stand-in has installed, with everything filled in. */
export interface InstalledModel {
  name: ModelName;
  /** As lists show it. */
  shortName: string;
  /** As it was given, for servers that know no tags. */
  displayName: string;
  /** As capability errors print it. */
  fullName: string;
  capabilities: readonly string[];
  family: string;
  parameterSize: string;
  parameterCount: number;
  quantization: string;
  sizeBytes: number;
  contextLength: number;
  embeddingLength: number;
  chatPath: 'rendered' | 'native';
  /** 64 hexadecimal digits, the same for the same model on every run. */
  digest: string;
  modifiedAtMs: number;
  /** Blobs, where they are not those of a prepared model. */
  layers: readonly Layer[] | undefined;
  system: string | undefined;
}

/** The four models of a stand-in that is not told otherwise. */
export const defaultModels: readonly FakeModel[] = [
  {
    name: 'stand-in',
    capabilities: ['completion', 'tools'],
    family: 'llama',
    parameterSize: '3.2B',
    sizeBytes: 2_019_393_189,
    contextLength: 131_072,
  },
  {
    name: 'stand-in-thinking',
    capabilities: ['completion', 'tools', 'thinking'],
    family: 'qwen3',
    parameterSize: '8.2B',
    sizeBytes: 5_225_388_164,
    contextLength: 40_960,
  },
  {
    name: 'stand-in-vision',
    capabilities: ['completion', 'vision'],
    family: 'gemma3',
    parameterSize: '4.3B',
    sizeBytes: 3_338_801_804,
    contextLength: 131_072,
  },
  {
    name: 'stand-in-embed',
    capabilities: ['embedding'],
    family: 'bert',
    parameterSize: '23M',
    quantization: 'F16',
    sizeBytes: 45_960_996,
    contextLength: 512,
  },
];

const multipliers: Record<string, number> = { K: 1e3, M: 1e6, B: 1e9 };

/** Models beside those of the stand-in that a registry of the usual size has. */
const publishedModels: readonly FakeModel[] = [
  { name: 'llama3.2', capabilities: ['completion', 'tools'] },
  {
    name: 'llama3.2:1b',
    capabilities: ['completion', 'tools'],
    parameterSize: '1.2B',
    sizeBytes: 1_321_098_329,
  },
  {
    name: 'qwen3',
    capabilities: ['completion', 'tools', 'thinking'],
    family: 'qwen3',
    parameterSize: '8.2B',
    sizeBytes: 5_225_388_164,
    contextLength: 40_960,
  },
  {
    name: 'gemma3',
    capabilities: ['completion', 'vision'],
    family: 'gemma3',
    parameterSize: '4.3B',
    sizeBytes: 3_338_801_804,
  },
  {
    name: 'nomic-embed-text',
    capabilities: ['embedding'],
    family: 'nomic-bert',
    parameterSize: '137M',
    quantization: 'F16',
    sizeBytes: 274_302_450,
    contextLength: 2048,
    embeddingLength: 768,
  },
  {
    name: 'all-minilm',
    capabilities: ['embedding'],
    family: 'bert',
    parameterSize: '23M',
    quantization: 'F16',
    sizeBytes: 45_960_996,
    contextLength: 256,
    embeddingLength: 384,
  },
];

/** The installed models, found by any spelling of their names, and those that a registry has. */
export class Catalog {
  readonly #models = new Map<string, InstalledModel>();
  readonly #published = new Map<string, InstalledModel>();

  /** @throws {TypeError} for a name that Ollama would refuse. */
  constructor(
    models: readonly (string | FakeModel)[],
    nowMs: number,
    registry: readonly (string | FakeModel)[] | undefined,
  ) {
    models.forEach((model, index) => {
      const installed = install(model, nowMs - index * 60_000);
      this.#models.set(installed.shortName, installed);
    });
    for (const model of registry ?? [...defaultModels, ...publishedModels, ...models]) {
      const published = install(model, nowMs);
      this.#published.set(published.shortName, published);
    }
  }

  /** Newest first, as `/api/tags` lists them. */
  list(): InstalledModel[] {
    return [...this.#models.values()].sort((a, b) => b.modifiedAtMs - a.modifiedAtMs);
  }

  /** As they were given. */
  inOrder(): InstalledModel[] {
    return [...this.#models.values()];
  }

  find(name: string): InstalledModel | undefined {
    return this.#models.get(canonicalName(name));
  }

  /** What a pull of this name would fetch. */
  published(name: string): InstalledModel | undefined {
    return this.#published.get(canonicalName(name));
  }

  install(model: InstalledModel, nowMs: number): void {
    this.#models.set(model.shortName, { ...model, modifiedAtMs: nowMs });
  }

  publish(model: InstalledModel, name: ModelName): void {
    this.#published.set(shortName(name), { ...model, ...namesOf(name) });
  }

  remove(name: string): void {
    this.#models.delete(canonicalName(name));
  }

  /** Gives a model a second name; one that stands there already is replaced. */
  copy(source: InstalledModel, destination: ModelName, nowMs: number): void {
    const names = namesOf(destination);
    this.#models.set(names.shortName, {
      ...source,
      ...names,
      layers: layersOf(source),
      modifiedAtMs: nowMs,
    });
  }

  /** A model made of another one, or of files alone. */
  create(
    given: string,
    base: InstalledModel | undefined,
    more: {
      layers: readonly Layer[];
      quantization: string | undefined;
      sizeBytes: number;
      nowMs: number;
      system: string | undefined;
    },
  ): void {
    const model = base ?? install(given, more.nowMs);
    const names = namesOf(parseKnownModel(given));
    this.#models.set(names.shortName, {
      ...model,
      ...names,
      digest: digestOf(JSON.stringify(more.layers)).slice('sha256:'.length),
      layers: more.layers,
      quantization: more.quantization ?? model.quantization,
      sizeBytes: more.sizeBytes,
      system: more.system ?? model.system,
      modifiedAtMs: more.nowMs,
    });
  }
}

/** A name that has been checked before. */
export function parseKnownModel(given: string): ModelName {
  const name = parseModelName(given);
  if (!name) throw new TypeError(`"${given}" is not a model name.`);
  return name;
}

function namesOf(name: ModelName) {
  const short = shortName(name);
  return { name, shortName: short, displayName: short, fullName: fullName(name) };
}

function install(given: string | FakeModel, modifiedAtMs: number): InstalledModel {
  const model = typeof given === 'string' ? { name: given } : given;
  const name = parseModelName(model.name);
  if (!name) {
    throw new TypeError(
      `Setting up the stand-in: "${model.name}" is not a model name. Ollama takes [host/][namespace/]model[:tag].`,
    );
  }
  const known = [...defaultModels, ...publishedModels].find(
    (other) => canonicalName(other.name) === shortName(name),
  );
  const parameterSize = model.parameterSize ?? known?.parameterSize ?? '3.2B';
  const [, amount = '0', letter = ''] = /^([\d.]+)([KMB]?)/.exec(parameterSize) ?? [];
  const short = shortName(name);
  return {
    name,
    shortName: short,
    displayName: model.name,
    fullName: fullName(name),
    capabilities: model.capabilities ?? known?.capabilities ?? ['completion'],
    family: model.family ?? known?.family ?? 'llama',
    parameterSize,
    parameterCount: Math.round(Number(amount) * (multipliers[letter] ?? 1)),
    quantization: model.quantization ?? known?.quantization ?? 'Q4_K_M',
    sizeBytes: model.sizeBytes ?? known?.sizeBytes ?? 2_019_393_189,
    contextLength: model.contextLength ?? known?.contextLength ?? 131_072,
    embeddingLength: model.embeddingLength ?? 256,
    chatPath: model.chatPath ?? 'rendered',
    digest: randomText(seededRandom(hashText(short)), '0123456789abcdef', 64),
    modifiedAtMs,
    layers: undefined,
    system: undefined,
  };
}
