// As Datadog's documentation says: spans of OpenTelemetry's API become Datadog's.
const tracer = require("dd-trace").init();

new tracer.TracerProvider().register();
