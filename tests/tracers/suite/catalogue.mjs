// The tracers, and how their users load them.

/**
 * @typedef {object} Tracer
 * @property {string} name
 * @property {"short" | "auto" | "agents"} place - whose packages it is one of
 * @property {string} package - whose version the table shows
 * @property {(ports: { port: number, tlsPort: number }) => Record<string, string>} env - sends spans to the collector
 * @property {string[]} require - the flags for an application of CommonJS modules
 * @property {string[]} import - the flags for an application of ES modules
 * @property {string} late - what an application loads that has called attach()
 * @property {Partial<Record<"require" | "import" | "late", string>>} [unsupported] - why its makers do not want it
 * @property {number} needs - the lowest version of Node
 */

const OTLP = ({ port }) => ({
  OTEL_TRACES_EXPORTER: "otlp",
  OTEL_METRICS_EXPORTER: "none",
  OTEL_LOGS_EXPORTER: "none",
  OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  OTEL_BSP_SCHEDULE_DELAY: "100",
  // Some ask the clouds for the machine's name.
  OTEL_NODE_RESOURCE_DETECTORS: "none",
});

/** @type {Tracer} */
const SHORT = {
  name: "OpenTelemetry, instrumentation-http",
  place: "short",
  package: "@opentelemetry/instrumentation-http",
  env: OTLP,
  require: ["--require", "./short.cjs"],
  import: ["--import", "./short.cjs"],
  late: "./short.cjs",
  needs: 20,
};

/** @type {Tracer[]} */
const WHOLE = [
  {
    name: "OpenTelemetry, auto-instrumentations",
    place: "auto",
    package: "@opentelemetry/auto-instrumentations-node",
    env: OTLP,
    require: ["--require", "@opentelemetry/auto-instrumentations-node/register"],
    import: ["--import", "@opentelemetry/auto-instrumentations-node/register"],
    late: "@opentelemetry/auto-instrumentations-node/register",
    needs: 22,
  },
  {
    name: "Datadog",
    place: "agents",
    package: "dd-trace",
    env: (ports) => ({
      ...OTLP(ports),
      DD_TRACE_AGENT_URL: `http://127.0.0.1:${ports.port}`,
      DD_TRACE_STARTUP_LOGS: "false",
      DD_TRACE_FLUSH_INTERVAL: "100",
      DD_RUNTIME_METRICS_ENABLED: "false",
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: "false",
      DD_REMOTE_CONFIGURATION_ENABLED: "false",
      // Otherwise each export is a span itself.
      DD_TRACE_DISABLED_INSTRUMENTATIONS: "dns,net",
    }),
    require: ["--require", "dd-trace/init", "--require", "./datadog.cjs"],
    import: ["--import", "dd-trace/initialize.mjs", "--import", "./datadog.cjs"],
    late: "./datadog.cjs",
    needs: 22,
  },
  {
    name: "New Relic",
    place: "agents",
    package: "newrelic",
    env: ({ tlsPort }) => ({
      NEW_RELIC_NO_CONFIG_FILE: "true",
      NEW_RELIC_APP_NAME: "test",
      NEW_RELIC_LICENSE_KEY: "0".repeat(40),
      NEW_RELIC_HOST: "127.0.0.1",
      NEW_RELIC_PORT: String(tlsPort),
      NEW_RELIC_LOG_ENABLED: "false",
      NEW_RELIC_OPENTELEMETRY_ENABLED: "true",
      // The collector's certificate is made for tests.
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
      ...Object.fromEntries(
        ["AWS", "AZURE", "AZUREFUNCTION", "GCP", "GCP_USE_INSTANCE_AS_HOST", "PCF", "DOCKER", "KUBERNETES"].map(
          (cloud) => [`NEW_RELIC_UTILIZATION_DETECT_${cloud}`, "false"],
        ),
      ),
    }),
    require: ["--require", "newrelic"],
    import: ["--import", "newrelic/esm-loader.mjs", "--require", "newrelic"],
    late: "newrelic",
    needs: 22,
  },
  {
    name: "Elastic APM",
    place: "agents",
    package: "elastic-apm-node",
    env: ({ port }) => ({
      ELASTIC_APM_SERVER_URL: `http://127.0.0.1:${port}`,
      ELASTIC_APM_CENTRAL_CONFIG: "false",
      ELASTIC_APM_CLOUD_PROVIDER: "none",
      ELASTIC_APM_METRICS_INTERVAL: "0s",
      ELASTIC_APM_API_REQUEST_TIME: "1s",
      ELASTIC_APM_LOG_LEVEL: "off",
      ELASTIC_APM_OPENTELEMETRY_BRIDGE_ENABLED: "true",
    }),
    require: ["--require", "elastic-apm-node/start.js"],
    import: ["--experimental-loader", "elastic-apm-node/loader.mjs", "--import", "elastic-apm-node/start.js"],
    late: "elastic-apm-node/start.js",
    needs: 20,
  },
  {
    name: "Sentry",
    place: "agents",
    package: "@sentry/node",
    env: ({ port }) => ({ SENTRY_DSN: `http://key@127.0.0.1:${port}/1` }),
    require: ["--require", "./sentry.cjs"],
    import: ["--import", "./sentry.mjs"],
    late: "./sentry.cjs",
    unsupported: { require: "Sentry has given up `--require`" },
    needs: 20,
  },
];

/** @returns {Tracer[]} */
export const tracersOf = (isShort) => (isShort ? [SHORT] : [SHORT, ...WHOLE]);

/** How a tracer is loaded: the flags, and the application. */
export const LOADINGS = [
  { id: "require", title: "`--require`", program: "server.cjs" },
  { id: "import", title: "`--import`", program: "server.mjs" },
  { id: "late", title: "after `attach`", program: "server.cjs" },
];
