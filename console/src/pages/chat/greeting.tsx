// Before the first question: the three steps of a new node, or a few words.
import { Check } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import { post } from '../../api/client';
import { models, link } from '../../live/live';
import { use_action } from '../../ui/action';
import { dismiss, starter, steps, steps_wanted } from './first_steps';
import { is_ready } from './model_choice';
import './greeting.css';

const examples = ['Tell me a story about a lighthouse.', 'Write a short poem about the sea.', 'What do birds do in the winter?'];

function Step({ number, title, done, children }: { number: number; title: string; done: boolean; children: ComponentChildren }) {
  return (
    <li class={done ? 'step done' : 'step'}>
      <span class="step-number" aria-hidden="true">
        {done ? <Check size={16} /> : number}
      </span>
      <div>
        <h3>
          {title}
          {done && <span class="sr-only"> (done)</span>}
        </h3>
        {children}
      </div>
    </li>
  );
}

function Examples({ say }: { say: (text: string) => void }) {
  return (
    <div class="examples">
      {examples.map((text) => (
        <button key={text} type="button" class="outline" onClick={() => say(text)}>
          {text}
        </button>
      ))}
    </div>
  );
}

/// Only where the starter model is known and nothing answers yet.
function StartStarter() {
  const { busy, act } = use_action();
  const row = models.value.find((one) => one.id === starter);
  if (!row) return <p class="muted">No model is ready on this machine.</p>;
  if (row.here === 'loading') {
    return (
      <div class="starting">
        <span id="starting">The starter model is being loaded.</span>
        <progress aria-labelledby="starting" max={1} value={row.progress || undefined} />
      </div>
    );
  }
  return (
    <>
      {row.failure && <p class="wrong">{row.failure}</p>}
      <button type="button" disabled={busy} aria-busy={busy} onClick={() => void act(() => post('/api/models', { model: starter, action: 'load' }))}>
        Start the starter model
      </button>
    </>
  );
}

function FirstStep({ say }: { say: (text: string) => void }) {
  if (link.value === 'connecting' && models.value.length === 0) return <p class="muted">Looking at what is here…</p>;
  // Without the live list the node itself knows best: the question goes to it.
  const can_answer = models.value.length === 0 || models.value.some((row) => is_ready(row) || row.here === 'standby');
  return can_answer ? <Examples say={say} /> : <StartStarter />;
}

export function Greeting({ say }: { say: (text: string) => void }) {
  if (!steps_wanted.value) {
    return (
      <div class="greeting">
        <div class="greeting-inside quiet">
          <h2>What would you like to talk about?</h2>
          <Examples say={say} />
        </div>
      </div>
    );
  }
  const { answered, own_model, second_machine } = steps.value;
  return (
    <div class="greeting">
      <div class="greeting-inside">
        <header>
          <h2>Welcome to Starling</h2>
          <p class="muted">Your machines, answering together. Three steps, in any order.</p>
        </header>
        <ol class="steps">
          <Step number={1} title="Say something" done={answered}>
            <p>A very small model is built in, so that you can see that everything works. It tells simple stories; it is no assistant.</p>
            <FirstStep say={say} />
          </Step>
          <Step number={2} title="Add a model of your own" done={own_model}>
            <p>A file that you have, or one from a hub. What is too large for one machine is spread over several.</p>
            <Link href="/models">Go to Models</Link>
          </Step>
          <Step number={3} title="Add another machine" done={second_machine}>
            <p>Make an invite here, and use it there. From then on the two work as one.</p>
            <Link href="/share">Go to Share</Link>
          </Step>
        </ol>
        <button type="button" class="plain small" onClick={dismiss}>
          Do not show these steps
        </button>
      </div>
    </div>
  );
}
