import { defineConfig } from "vitest/config";

export default defineConfig({
  build: {
    target: "es2022",
    outDir: "../custom_components/marengocam/frontend",
    emptyOutDir: false,
    lib: { entry: "src/main.ts", formats: ["es"], fileName: () => "marengocam-cards.js" },
    rollupOptions: { output: { banner: "/* MarengoCam cards, MIT; contains Lit (BSD-3-Clause, Google LLC). Built by script/build-frontend. */" } },
  },
  test: { environment: "happy-dom" },
});
