import { readFileSync } from 'node:fs';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Move style sheet and script to the end of the body, so that the shell paints first. */
const shellFirst = {
  name: 'shell-first',
  enforce: 'post' as const,
  transformIndexHtml: {
    order: 'post' as const,
    handler(html: string): string {
      const late: string[] = [];
      const rest = html.replace(
        /\s*<(?:link rel="stylesheet"[^>]*|script type="module"[^>]*><\/script)>/g,
        (tag) => {
          late.push(tag);
          return '';
        },
      );
      return rest.replace('</body>', `${late.reverse().join('')}\n  </body>`);
    },
  },
};

/** Bundle the API reference, so that /docs needs no other host. */
const reference = {
  name: 'api-reference',
  apply: 'build' as const,
  generateBundle(this: {
    emitFile(file: { type: 'asset'; fileName: string; source: Uint8Array }): void;
  }): void {
    for (const name of [
      'swagger-ui-bundle.js',
      'swagger-ui-standalone-preset.js',
      'swagger-ui.css',
    ]) {
      this.emitFile({
        type: 'asset',
        fileName: `reference/${name}`,
        source: readFileSync(`node_modules/swagger-ui-dist/${name}`),
      });
    }
  },
};

// The Python server serves the page from its package folder.
const server = process.env['POWDERKEG_URL'] ?? 'http://127.0.0.1:8788';

export default defineConfig({
  plugins: [svelte(), shellFirst, reference],
  build: {
    target: 'es2022',
    outDir: '../src/powderkeg/static',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    // What the page starts with is one file: split up, it compresses worse.
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: 'start', tags: ['$initial'] }] } },
    },
    reportCompressedSize: false,
    // Keep the font a separate file, so that it does not delay the first paint.
    assetsInlineLimit: 0,
  },
  server: { proxy: { '/v1': { target: server, ws: true } } },
  test: {
    environment: 'happy-dom',
    include: ['tests/**/*.test.ts'],
  },
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
});
