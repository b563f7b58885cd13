import type { Histogram, Meter } from '@opentelemetry/api';

/** Of the conventions; seconds. */
const durations = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const chunkGaps = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2.5,
];
const tokens = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];

/** The four metrics of a client of generative AI. */
export interface Instruments {
  duration: Histogram;
  tokenUsage: Histogram;
  timeToFirstChunk: Histogram;
  timePerOutputChunk: Histogram;
}

export function createInstruments(meter: Meter): Instruments {
  const seconds = (name: string, description: string, explicitBucketBoundaries: number[]): Histogram =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries } });
  return {
    duration: seconds('gen_ai.client.operation.duration', 'From the call to its end.', durations),
    tokenUsage: meter.createHistogram('gen_ai.client.token.usage', {
      unit: '{token}',
      description: 'Tokens read and written.',
      advice: { explicitBucketBoundaries: tokens },
    }),
    timeToFirstChunk: seconds(
      'gen_ai.client.operation.time_to_first_chunk',
      'From the call to the first piece of the answer.',
      durations,
    ),
    timePerOutputChunk: seconds(
      'gen_ai.client.operation.time_per_output_chunk',
      'Between two pieces of the answer.',
      chunkGaps,
    ),
  };
}
