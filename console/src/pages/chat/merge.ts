// One conversation that was changed at two places: what this tab did since `base`, done to what the other tab made of it.
// Nothing that one of them has added is lost. Changes are told by identity: who changes a part makes a new object. Pure.
import type { Conversation, Message } from './types';

function by_id(messages: readonly Message[]): Map<string, Message> {
  return new Map(messages.map((one) => [one.id, one]));
}

function merged_messages(base: readonly Message[], mine: readonly Message[], theirs: readonly Message[]): Message[] {
  const [before, here, there] = [by_id(base), by_id(mine), by_id(theirs)];
  const out = theirs.flatMap((message) => {
    const own = here.get(message.id);
    if (!own) return before.has(message.id) ? [] : [message]; // taken away here; or new there
    return own === before.get(message.id) ? [message] : [own];
  });
  mine.forEach((message, index) => {
    if (there.has(message.id) || message === before.get(message.id)) return; // in it; or taken away there
    const follows = mine[index - 1]?.id;
    const at = out.findIndex((one) => one.id === follows);
    if (follows === undefined) out.unshift(message);
    else if (at >= 0) out.splice(at + 1, 0, message);
    else out.push(message);
  });
  return out;
}

/// `theirs`, with the objects of `known` where they say the same: what shows them need not be drawn again.
export function with_known(theirs: Conversation, known: Conversation): Conversation {
  const before = by_id(known.messages);
  const messages = theirs.messages.map((one) => {
    const same = before.get(one.id);
    return same && JSON.stringify(same) === JSON.stringify(one) ? same : one;
  });
  return { ...theirs, messages };
}

export function merged(base: Conversation, mine: Conversation, theirs: Conversation): Conversation {
  if (mine === base) return theirs;
  const { title, model, settings } = mine;
  return {
    ...theirs,
    ...(title !== base.title ? { title } : {}),
    ...(model !== base.model ? { model } : {}),
    ...(settings !== base.settings ? { settings } : {}),
    updated: Math.max(mine.updated, theirs.updated),
    messages: mine.messages === base.messages ? theirs.messages : merged_messages(base.messages, mine.messages, theirs.messages),
  };
}
