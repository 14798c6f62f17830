declare module "restify" {
  import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";

  type Handler = (
    req: IncomingMessage & { body?: unknown },
    res: ServerResponse & { send(status: number, body?: unknown): void },
    next: (error?: unknown) => void,
  ) => void;

  interface Server {
    readonly server: HttpServer;
    pre(handler: Handler): void;
    use(handlers: Handler | readonly Handler[]): void;
    put(path: string, ...handlers: readonly Handler[]): void;
  }

  export function createServer(): Server;
  export const plugins: { bodyParser(): Handler[] };
}
