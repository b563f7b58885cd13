import type { FakeModel } from '../types.ts';
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

/** The installed models, found by any spelling of their names. */
export class Catalog {
  readonly #models = new Map<string, InstalledModel>();

  /** @throws {TypeError} for a name that Ollama would refuse. */
  constructor(models: readonly (string | FakeModel)[], nowMs: number) {
    models.forEach((model, index) => {
      const installed = install(model, nowMs - index * 60_000);
      this.#models.set(installed.shortName, installed);
    });
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

  /** Gives a model a second name; one that stands there already is replaced. */
  copy(source: InstalledModel, destination: ModelName, nowMs: number): void {
    const short = shortName(destination);
    const name = { name: destination, shortName: short, displayName: short, fullName: fullName(destination) };
    this.#models.set(name.shortName, { ...source, ...name, modifiedAtMs: nowMs });
  }
}

function install(given: string | FakeModel, modifiedAtMs: number): InstalledModel {
  const model = typeof given === 'string' ? { name: given } : given;
  const name = parseModelName(model.name);
  if (!name) {
    throw new TypeError(
      `Setting up the stand-in: "${model.name}" is not a model name. Ollama takes [host/][namespace/]model[:tag].`,
    );
  }
  const known = defaultModels.find((other) => canonicalName(other.name) === shortName(name));
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
  };
}
