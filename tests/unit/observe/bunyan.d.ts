declare module "bunyan" {
  interface BunyanLogger {
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  }
  const bunyan: {
    createLogger(options: {
      name: string;
      stream: { write(line: string): unknown };
      serializers?: unknown;
    }): BunyanLogger;
    readonly stdSerializers: unknown;
  };
  export default bunyan;
}
