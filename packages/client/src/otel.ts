export { type OpenTelemetryOptions, openTelemetryHooks } from './otel/open-telemetry-hooks.ts';
