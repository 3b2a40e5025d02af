import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// The page is served by the Python server from its own package folder.
const server = process.env['POWDERKEG_URL'] ?? 'http://127.0.0.1:8788';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    outDir: '../src/powderkeg/static',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The font stays a file of its own: it must not hold up the first paint.
    assetsInlineLimit: 0,
  },
  server: { proxy: { '/v1': { target: server, ws: true } } },
  test: {
    environment: 'happy-dom',
    include: ['tests/**/*.test.ts'],
  },
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
});
