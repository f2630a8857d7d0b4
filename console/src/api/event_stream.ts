// Server-sent events over fetch: unlike EventSource it can send a key, and a body (WHATWG HTML, 9.2).
import { type EventSourceMessage, EventSourceParserStream } from 'eventsource-parser/stream';

/// `on_comment`: the node is silent but there.
export async function* events_of(answer: Response, on_comment?: () => void): AsyncGenerator<EventSourceMessage> {
  if (!answer.body) return;
  const events = answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(
    new EventSourceParserStream(on_comment ? { onComment: on_comment } : {}),
  );
  const reader = events.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // closes the connection, and so ends the answer at the node
  }
}
