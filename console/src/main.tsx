import { render } from 'preact';
import { App } from './app';
import { run } from './live/live';
import './styles/base.css';
import './ui/theme';

void run();
render(<App />, document.getElementById('app') as HTMLElement);
