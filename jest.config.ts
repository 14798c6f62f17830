/** @jest-config-loader esbuild-register */
import type { Config } from "jest";

const config: Config = {
  testEnvironment: "<rootDir>/tests/helpers/environment.cjs",
  globalSetup: "<rootDir>/tests/helpers/global-setup.cjs",
  testSequencer: "<rootDir>/tests/helpers/sequencer.cjs",
  roots: ["<rootDir>/tests"],
  testMatch: ["**/*.test.ts"],
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  transform: {
    "/src/(?:report|probe)/page/script\\.ts$": "<rootDir>/tests/helpers/page-scripts.cjs",
    "/node_modules/": "<rootDir>/tests/helpers/es-modules.cjs",
    "^.+\\.ts$": ["ts-jest", { tsconfig: "<rootDir>/tests/tsconfig.json" }],
  },
  transformIgnorePatterns: ["/node_modules/(?!(?:pretty-bytes|string-width|wrap-ansi)/)"],
  // Most of the time is spent waiting for sockets and children, not for a processor.
  maxWorkers: 8,
  // Of the tests that are marked as concurrent, which wait and do little else.
  maxConcurrency: 12,
  testTimeout: 20_000,
};

export default config;
