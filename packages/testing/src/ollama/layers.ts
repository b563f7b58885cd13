import { hashText, randomText, seededRandom } from './random.ts';

/** One blob of a model. */
export interface Layer {
  /** `sha256:` and 64 hexadecimal digits. */
  digest: string;
  sizeBytes: number;
}

/** What a model is made of: the weights, the template and the parameters. */
export function layersOf(model: {
  shortName: string;
  sizeBytes: number;
  layers: readonly Layer[] | undefined;
}): readonly Layer[] {
  if (model.layers) return model.layers;
  return [
    layer(`${model.shortName} weights`, model.sizeBytes),
    layer(`${model.shortName} template`, 1429),
    layer(`${model.shortName} parameters`, 96),
  ];
}

/** A layer whose digest is the same for the same content on every run. */
export function layer(content: string, sizeBytes: number): Layer {
  return { digest: digestOf(content), sizeBytes };
}

export function digestOf(content: string): string {
  return `sha256:${randomText(seededRandom(hashText(content)), '0123456789abcdef', 64)}`;
}

/** The first twelve digits, as progress names a layer. */
export function shortDigest(digest: string): string {
  return digest.slice('sha256:'.length).slice(0, 12);
}
