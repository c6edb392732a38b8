import { defineConfig } from "vite";

// The built files are part of the Python package: no Node is needed to install or to run it.
// FERRYMAN is the server that `npm run dev` asks for data.
const server = process.env.FERRYMAN ?? "http://127.0.0.1:8080";
const api =
  "^/(jobs|events|live|counts|operations|rules|queues|types|nodes|schedules|keys|api-keys|stats|errors|audit|about|session|health|livez|readyz|metrics|docs|openapi.json)([/?].*)?$";

export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: process.env.OUT ?? "../src/ferryman/http/static",
    emptyOutDir: true,
    target: "es2023",
    modulePreload: false,
    assetsInlineLimit: 0, // the page may not load data: addresses
    chunkSizeWarningLimit: 200,
  },
  server: { proxy: { [api]: { target: server, changeOrigin: true } } },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
