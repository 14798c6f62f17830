// Stands in for "@jest/globals" outside jest: jest's own parts, in one process and without jest's module registry.
const circus = require("jest-circus");
const { expect } = require("expect");
const { ModuleMocker } = require("jest-mock");
const { ModernFakeTimers } = require("@jest/fake-timers");

const mocker = new ModuleMocker(globalThis);
const timers = new ModernFakeTimers({
  config: { fakeTimers: {}, rootDir: __dirname, testMatch: [] },
  global: globalThis,
});

const jest = {
  fn: (...args) => mocker.fn(...args),
  spyOn: (...args) => mocker.spyOn(...args),
  restoreAllMocks: () => mocker.restoreAllMocks(),
  useFakeTimers: (config) => timers.useFakeTimers(config),
  useRealTimers: () => timers.useRealTimers(),
  advanceTimersByTime: (ms) => timers.advanceTimersByTime(ms),
  advanceTimersByTimeAsync: (ms) => timers.advanceTimersByTimeAsync(ms),
  getTimerCount: () => timers.getTimerCount(),
};

module.exports = { ...circus.default, expect, jest };
