/** What a model can do, in Ollama's words. */
export type Capability =
  | 'completion'
  | 'tools'
  | 'insert'
  | 'vision'
  | 'embedding'
  | 'thinking'
  | 'image'
  | 'audio'
  | (string & {});

/** One model that the caller may use. */
export interface ModelInfo {
  /** Name with tag, as it is sent in a request. */
  name: string;
  /** Other names for it. */
  aliases: string[];
  family: string | null;
  /** As the engine prints it, such as `8.0B`. */
  parameterSize: string | null;
  /** Such as `Q4_K_M`. */
  quantization: string | null;
  sizeBytes: number | null;
  /** Longest context in tokens, or `null` when the engine does not say. */
  contextLength: number | null;
  capabilities: Capability[];
  /** In memory right now, with the memory it takes and when it will be freed; `null` when it is not. */
  loaded: null | { sizeVramBytes: number | null; expiresAt: string | null };
}

/** Body of `GET /models`. */
export interface ModelList {
  models: ModelInfo[];
}

/** Body of `GET /status`: public, so it says nothing more. */
export interface ServerStatus {
  status: 'ok' | 'degraded' | 'down';
  version: string;
}

/** Body of `GET /health`, in the form of the seed. */
export interface ServerHealth {
  status: 'healthy' | 'degraded' | 'unhealthy';
  ollama_connected: boolean;
  models_available: number;
  timestamp: string;
}
