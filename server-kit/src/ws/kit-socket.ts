/** What happens on a socket. */
export interface SocketEvents {
  onText(text: string): void;
  /** A frame of bytes, which no client of the kit sends. */
  onBinary(): void;
  onPong(): void;
  /** What was waiting to be sent has gone. */
  onDrain(): void;
  /** The socket is closed, by whomever. Called once. */
  onClose(): void;
}

/** An open WebSocket as the kit needs it; doors make one from the host's connection. */
export interface KitSocket {
  send(text: string): void;
  ping(): void;
  /** Begins the closing handshake (RFC 6455 §7.1.2); a peer that does not answer it is cut off by the door. */
  close(code: number, reason: string): void;
  /** Ends the connection without a word. */
  terminate(): void;
  /** Bytes that were sent and have not reached the kernel. */
  readonly bufferedBytes: number;
  /** Called once, before anything can have happened. */
  listen(events: SocketEvents): void;
}

/** What the door must keep to when it accepts. */
export interface SocketTerms {
  /** Longer messages are refused with close code 1009. */
  maxFrameBytes: number;
}

/** Turns the upgrade into a socket; `undefined` when the handshake was not one, which the door has answered. */
export type AcceptUpgrade = (terms: SocketTerms) => KitSocket | undefined;

/** What became of an upgrade: taken, refused with this answer before any 101, or `undefined`: not an address of the kit. */
export type UpgradeOutcome = 'accepted' | Response | undefined;
