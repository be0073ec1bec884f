import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// `npm run dev` talks to a running origin and its embedded relay.
const api = process.env.STREAMCIRCLE_DEV_API ?? 'http://localhost:4000';
const relay = process.env.STREAMCIRCLE_DEV_RELAY ?? 'http://localhost:8080';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { '@': here('./src') } },
  build: {
    target: 'es2022',
    // The content security policy of the daemons allows no data: URLs.
    assetsInlineLimit: 0,
    // hls.js alone is over the default bound; it is in the first load on purpose (see live-player).
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      input: { viewer: here('./index.html'), dashboard: here('./dashboard.html') },
      output: {
        // Libraries change less often than the app: a new release keeps them in the browsers' caches.
        codeSplitting: {
          groups: [
            { name: 'hls', test: /\/node_modules\/hls\.js\// },
            { name: 'react', test: /\/node_modules\/(react|react-dom|scheduler)\// },
            { name: 'shared', minShareCount: 2 },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      '/api': { target: api, changeOrigin: false },
      '/emotes': { target: relay, changeOrigin: false },
      '/live': { target: relay, changeOrigin: false },
      '/ws': { target: relay, ws: true, changeOrigin: false },
    },
  },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
});
