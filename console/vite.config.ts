import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

// `npx vite` serves the sources with a node's API behind them: STARLING_URL names the node.
export default defineConfig({
  plugins: [preact()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the content policy knows only files
    modulePreload: { polyfill: false },
    cssCodeSplit: true,
    reportCompressedSize: false,
  },
  server: {
    proxy: Object.fromEntries(
      ['/api', '/v1', '/health', '/metrics'].map((path) => [path, process.env['STARLING_URL'] ?? 'http://127.0.0.1:9337']),
    ),
  },
  test: { environment: 'happy-dom', setupFiles: ['tests/setup.ts'], include: ['tests/**/*.test.{ts,tsx}'] },
} as Parameters<typeof defineConfig>[0]);
