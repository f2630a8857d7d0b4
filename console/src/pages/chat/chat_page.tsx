// The chat: conversations at the left (behind a button on a phone), the current one, and where one writes.
import { Menu as MenuIcon, SquarePen } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { plural } from '../../format';
import { Advanced } from './advanced';
import { announcement, ask, running, stop } from './ask';
import { begin, current, lasting, look, new_chat, ready } from './chats';
import './chat.css';
import { Composer } from './composer';
import { ConversationDrawer, ConversationList } from './conversation_list';
import { ConversationMenu } from './conversation_menu';
import { attach, draft_of, empty_draft } from './drafts';
import { note_answer } from './first_steps';
import { Greeting } from './greeting';
import { MessageLog } from './message_log';
import { ModelPicker } from './model_picker';
import type { Attachment } from './types';

export function ChatPage() {
  const conversation = current.value;
  const { id } = conversation;
  const busy = running.value.has(id);
  const composer = useRef<HTMLTextAreaElement>(null);
  const [drawer, set_drawer] = useState(false);
  const [over, set_over] = useState(false);

  useEffect(() => {
    if (!ready.peek()) void begin();
  }, []);
  const focus = () => composer.current?.focus({ preventScroll: true });
  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) focus(); // a touch keyboard would cover the page
  }, [id]);

  // Where a button went away with the answer, the focus went with it.
  useEffect(() => {
    if (!busy && (document.activeElement === document.body || document.activeElement === null)) focus();
  }, [busy]);

  const say = async (text: string, attachments: readonly Attachment[] = []) => {
    focus();
    await ask(id, text, attachments);
    const last = look(id)?.messages.at(-1);
    if (last?.role === 'assistant' && last.state === 'done') note_answer();
  };
  const send = () => {
    const { text, attached } = draft_of(id);
    void say(text.peek().trim(), attached.peek());
    empty_draft(id);
  };
  const attached = draft_of(id).attached.value.length;

  return (
    <div
      class={over ? 'chat-page over' : 'chat-page'}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes('Files')) return;
        event.preventDefault();
        set_over(true);
      }}
      onDragLeave={(event) => event.currentTarget === event.target && set_over(false)}
      onDrop={(event) => {
        if (!event.dataTransfer?.types.includes('Files')) return; // a text that is dragged is for where it is dropped
        event.preventDefault();
        set_over(false);
        void attach(id, [...(event.dataTransfer?.files ?? [])]);
        focus();
      }}
    >
      <h1 class="sr-only">Chat</h1>
      <aside class="conversations" aria-label="Conversations">
        <ConversationList />
      </aside>
      <ConversationDrawer open={drawer} onClose={() => set_drawer(false)} />
      <section class="talk" aria-label="Conversation">
        <header class="talk-head">
          <button type="button" class="plain icon drawer-button" aria-label="Conversations" onClick={() => set_drawer(true)}>
            <MenuIcon size={20} aria-hidden="true" />
          </button>
          <ModelPicker conversation={conversation} />
          <span class="space" />
          <Advanced conversation={conversation} />
          <button type="button" class="plain icon drawer-button" aria-label="New conversation" onClick={new_chat}>
            <SquarePen size={20} aria-hidden="true" />
          </button>
          {conversation.messages.length > 0 && <ConversationMenu conversation={conversation} />}
        </header>
        {conversation.messages.length === 0 ? (
          <Greeting say={(text) => void say(text)} />
        ) : (
          <MessageLog key={id} conversation={conversation} busy={busy} />
        )}
        <Composer
          key={id}
          conversation_id={id}
          box={composer}
          busy={busy}
          onSend={send}
          onStop={() => {
            stop(id);
            focus();
          }}
        />
        {!lasting.value && (
          <p class="quiet-line">This browser does not let the page keep conversations; they go when it is closed.</p>
        )}
      </section>
      {over && <div class="drop-sign">Drop text files here</div>}
      <div class="sr-only" role="status" aria-live="polite">
        {busy ? 'The model is answering.' : announcement.value}
        {attached > 0 && ` ${plural(attached, 'file')} attached.`}
      </div>
    </div>
  );
}
