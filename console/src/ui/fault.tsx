// What is shown of a page that cannot be drawn: the frame around it stays, and with it the way to the other pages.
import { Component, type ComponentChildren } from 'preact';

interface State {
  failed: boolean;
}

export class Fault extends Component<{ children: ComponentChildren }, State> {
  override state: State = { failed: false };

  static override getDerivedStateFromError(): State {
    return { failed: true };
  }

  override componentDidCatch(error: unknown): void {
    console.error(error);
  }

  render({ children }: { children: ComponentChildren }, { failed }: State) {
    if (!failed) return children;
    return (
      <div class="empty" role="alert">
        <h1>This page can’t be shown</h1>
        <p>The node may have told something that this page does not know, or it was updated while the page was open.</p>
        <button type="button" onClick={() => location.reload()}>
          Load the page anew
        </button>
      </div>
    );
  }
}
