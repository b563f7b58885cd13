import type { IncomingMessage } from 'node:http';

/**
 * The body of a Node request as a web stream. Nothing is read before it is asked for, and not more than asked for:
 * the rest stays in the kernel and the sender waits.
 *
 * `onWanted` is called once, when the first byte is asked for. Errors when the sender leaves before the end, and when something else has read the body already.
 */
export function requestBody(
  req: IncomingMessage,
  onWanted?: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let detach: (() => void) | undefined;

  const attach = (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
    const onData = (chunk: Uint8Array<ArrayBuffer>) => {
      // In this order: enqueue() may ask for more at once, when a second read waits.
      req.pause();
      controller.enqueue(chunk);
    };
    const onEnd = () => {
      detach?.();
      controller.close();
    };
    const onBroken = () => {
      detach?.();
      controller.error(new Error('The request body broke off: the client closed the connection.'));
    };
    detach = () => {
      detach = undefined;
      req.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
    };
    req.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
  };

  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        if (detach === undefined) {
          if (req.destroyed && !req.readableEnded) {
            controller.error(new Error('The request body broke off: the client closed the connection.'));
            return;
          }
          if (req.readableDidRead || req.readableEnded) {
            controller.error(new Error('The request body has been read by something in front of the kit.'));
            return;
          }
          attach(controller);
          onWanted?.();
        }
        req.resume();
      },
      cancel() {
        detach?.();
        req.pause();
      },
    },
    { highWaterMark: 0 },
  );
}
