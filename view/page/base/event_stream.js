/** Server-sent events over fetch: an EventSource cannot send a token. The format is WHATWG's, as far as our server speaks it. */

/** @typedef {{event: string, data: any, id: string | null}} Message */

/**
 * Cuts a stream of text into messages, wherever its pieces end.
 * @param {(message: Message) => void} tell
 * @returns {(piece: string) => void}
 */
export function parser(tell) {
  let rest = "";
  return (piece) => {
    rest += piece;
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      /** @type {Record<string, string>} */
      const fields = {};
      for (const line of block.split("\n")) {
        const at = line.indexOf(": ");
        if (at > 0) fields[line.slice(0, at)] = line.slice(at + 2);
      }
      if (fields.data) tell({ event: fields.event ?? "message", data: JSON.parse(fields.data), id: fields.id ?? null });
    }
  };
}

/**
 * One connection, read until it ends. Rejects when there is none.
 * @param {string} url @param {Record<string, string>} headers @param {AbortSignal} signal
 * @param {(answer: Response) => void} opened @param {(message: Message) => void} tell
 */
export async function readStream(url, headers, signal, opened, tell) {
  const answer = await fetch(url, { headers: { Accept: "text/event-stream", ...headers }, signal, cache: "no-store" });
  if (!answer.ok || !answer.body) throw new Error(`status ${answer.status}`);
  opened(answer);
  const read = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  const take = parser(tell);
  for (;;) {
    const { done, value } = await read.read();
    if (done) return;
    take(value);
  }
}
