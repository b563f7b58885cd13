import { Icon } from './icons.tsx';

export const ThumbUpIcon = () => (
  <Icon>
    <path d="M5.2 7.2 7.6 2.4c1 0 1.7.7 1.7 1.7v2.4h2.9c.9 0 1.5.8 1.4 1.6l-.7 4.1c-.1.7-.7 1.2-1.4 1.2H5.2zM5.2 7.2H2.6v6.2h2.6" />
  </Icon>
);
export const ThumbDownIcon = () => (
  <Icon>
    <path d="M5.2 8.8 7.6 13.6c1 0 1.7-.7 1.7-1.7V9.5h2.9c.9 0 1.5-.8 1.4-1.6l-.7-4.1c-.1-.7-.7-1.2-1.4-1.2H5.2zM5.2 8.8H2.6V2.6h2.6" />
  </Icon>
);
export const EditIcon = () => (
  <Icon>
    <path d="m10.6 3.2 2.2 2.2-7.4 7.4-2.8.6.6-2.8z" />
  </Icon>
);
export const DeleteIcon = () => (
  <Icon>
    <path d="M3 4.4h10M6.2 4.2V2.8h3.6v1.4M4.4 4.6l.5 8.6h6.2l.5-8.6" />
  </Icon>
);
export const MoreIcon = () => (
  <Icon>
    <path strokeWidth="2.2" d="M3.6 8h.01M8 8h.01M12.4 8h.01" />
  </Icon>
);
export const AttachIcon = () => (
  <Icon>
    <path d="m12.9 7.6-5 5a3 3 0 0 1-4.3-4.2l5.3-5.3a2 2 0 0 1 2.8 2.8L6.5 11a1 1 0 0 1-1.4-1.4l4.6-4.6" />
  </Icon>
);
export const PlusIcon = () => (
  <Icon>
    <path d="M8 3v10M3 8h10" />
  </Icon>
);
export const CloseIcon = () => (
  <Icon>
    <path d="m4 4 8 8M12 4l-8 8" />
  </Icon>
);
export const UpIcon = () => (
  <Icon>
    <path d="m4 9.6 4-4 4 4" />
  </Icon>
);
export const ToolIcon = () => (
  <Icon>
    <path d="M10 2.4a3.4 3.4 0 0 0-3 4.9l-4.4 4.4a1.2 1.2 0 0 0 1.7 1.7L8.7 9a3.4 3.4 0 0 0 4.7-4L11.2 7 9 6.8 8.8 4.6l2.1-2a3.4 3.4 0 0 0-.9-.2" />
  </Icon>
);
export const FileIcon = () => (
  <Icon>
    <path d="M9 2.2H4.6c-.7 0-1.2.5-1.2 1.2v9.2c0 .7.5 1.2 1.2 1.2h6.8c.7 0 1.2-.5 1.2-1.2V5.8zM9 2.2v3.6h3.6" />
  </Icon>
);
export const OfflineIcon = () => (
  <Icon>
    <path d="M2.4 2.4 13.6 13.6M1.8 6.4A9.5 9.5 0 0 1 4.6 4.6M7 3.8a9.4 9.4 0 0 1 7.2 2.6M4.2 9a5.8 5.8 0 0 1 2.4-1.5M10.4 7.9A5.8 5.8 0 0 1 11.8 9M8 12.4h.01" />
  </Icon>
);
export const SlashIcon = () => (
  <Icon>
    <rect x="2.6" y="2.6" width="10.8" height="10.8" rx="2.4" />
    <path d="m9.6 5-3.2 6" />
  </Icon>
);
export const MicrophoneIcon = () => (
  <Icon>
    <rect x="5.8" y="1.8" width="4.4" height="7.6" rx="2.2" />
    <path d="M3.4 7.6a4.6 4.6 0 0 0 9.2 0M8 12.2v2" />
  </Icon>
);
