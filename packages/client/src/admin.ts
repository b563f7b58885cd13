export { createAdmin } from './admin/create-admin.ts';
export type {
  Admin,
  CreateModelRequest,
  LayerProgress,
  ModelDetails,
  ModelProgress,
  ProgressStream,
  RunningModel,
  TransferOptions,
} from './admin/types.ts';
