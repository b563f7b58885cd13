import type { ReactElement, ReactNode } from 'react';

/** 16 px, stroke 1.6, drawn in the colour of the text. Never the only name of a control. */
export function Icon({
  children,
  className,
}: {
  children: ReactNode;
  className?: string | undefined;
}): ReactElement {
  return (
    <svg
      className={className === undefined ? 'zg-icon' : `zg-icon ${className}`}
      viewBox="0 0 16 16"
      width="16"
      height="16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

export const CopyIcon = () => (
  <Icon>
    <rect x="5.5" y="5.5" width="8" height="8" rx="1.8" />
    <path d="M10.5 5.5V4.3c0-1-.8-1.8-1.8-1.8H4.3c-1 0-1.8.8-1.8 1.8v4.4c0 1 .8 1.8 1.8 1.8h1.2" />
  </Icon>
);
export const CheckIcon = () => (
  <Icon>
    <path d="m3 8.5 3.2 3.2L13 4.8" />
  </Icon>
);
export const AgainIcon = () => (
  <Icon>
    <path d="M13 8a5 5 0 1 1-1.6-3.7L13.2 6" />
    <path d="M13.3 2.7V6H10" />
  </Icon>
);
export const ChevronDownIcon = () => (
  <Icon className="zg-icon-small">
    <path d="m4.5 6.3 3.5 3.5 3.5-3.5" />
  </Icon>
);
export const PreviousIcon = () => (
  <Icon>
    <path d="M9.8 4.2 6 8l3.8 3.8" />
  </Icon>
);
export const NextIcon = () => (
  <Icon>
    <path d="M6.2 4.2 10 8l-3.8 3.8" />
  </Icon>
);
export const SendIcon = () => (
  <Icon>
    <path d="M8 13V3.2M3.8 7.2 8 3l4.2 4.2" />
  </Icon>
);
export const StopIcon = () => (
  <Icon>
    <rect x="4" y="4" width="8" height="8" rx="1.6" fill="currentColor" stroke="none" />
  </Icon>
);
export const SidebarIcon = () => (
  <Icon>
    <rect x="2.4" y="3" width="11.2" height="10" rx="2" />
    <path d="M6.4 3v10" />
  </Icon>
);
export const DownIcon = () => (
  <Icon>
    <path d="M8 3v9.8M3.8 8.8 8 13l4.2-4.2" />
  </Icon>
);
export const ChipIcon = () => (
  <Icon>
    <rect x="4" y="4" width="8" height="8" rx="1.6" />
    <path d="M6.3 4V1.8M9.7 4V1.8M6.3 14.2V12M9.7 14.2V12M4 6.3H1.8M4 9.7H1.8M14.2 6.3H12M14.2 9.7H12" />
  </Icon>
);
export const RingIcon = () => (
  <Icon className="zg-ring">
    <circle className="zg-ring-track" cx="8" cy="8" r="5.6" />
    <path d="M8 2.4A5.6 5.6 0 0 1 13.6 8" />
  </Icon>
);
export const DownloadIcon = () => (
  <Icon>
    <path d="M8 2.5v7.2M4.8 7 8 10.2 11.2 7M2.8 13.2h10.4" />
  </Icon>
);
