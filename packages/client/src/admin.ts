export { createAdmin } from './admin/create-admin.ts';
export type {
  Admin,
  CreateModelRequest,
  Fleet,
  FleetModel,
  HostOptions,
  LayerProgress,
  ModelDetails,
  ModelProgress,
  ProgressStream,
  PullInfo,
  RunningModel,
  TransferOptions,
} from './admin/types.ts';
