import { Component, type ReactNode } from 'react';
import { PlainText } from '../markdown/plain-text.tsx';

interface MessageBoundaryProps {
  text: string;
  children: ReactNode;
}

/** Keeps a text that cannot be rendered from taking the chat along: it is shown as it was written. */
export class MessageBoundary extends Component<MessageBoundaryProps, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? <PlainText text={this.props.text} /> : this.props.children;
  }
}
