import { EventEmitter } from "node:events";
import * as http from "node:http";
import { Readable } from "node:stream";
import { configure as serverlessExpress } from "@codegenie/serverless-express";
import inject from "light-my-request";
import { createMocks, type RequestMethod } from "node-mocks-http";
import serverlessHttp from "serverless-http";

/** Requests without a connection: programs that call an application with a request and a response that they made. */

export interface InjectedRequest {
  readonly method?: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface InjectedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** What is called: an application's function, or a server whose `request` is emitted. */
export type Target = http.Server | ((req: http.IncomingMessage, res: http.ServerResponse) => void);

export type Injector = (target: Target, request: InjectedRequest) => Promise<InjectedResponse>;

function callOf(target: Target): (req: unknown, res: unknown) => void {
  if (target instanceof http.Server) return (req, res) => void target.emit("request", req, res);
  return target as (req: unknown, res: unknown) => void;
}

/** An event of Amazon's API Gateway, as both serverless adapters take it. */
function gatewayEvent({ method = "PUT", url, headers, body }: InjectedRequest) {
  return {
    httpMethod: method,
    path: url,
    resource: url,
    headers: { Host: "test", ...headers },
    body: body ?? "",
    isBase64Encoded: false,
    requestContext: { identity: { sourceIp: "127.0.0.1" } },
  };
}

interface GatewayResult {
  readonly statusCode: number;
  readonly headers?: Record<string, unknown>;
  readonly multiValueHeaders?: Record<string, readonly unknown[]>;
  readonly body: string;
}

function resultOf({ statusCode, headers, multiValueHeaders, body }: GatewayResult): InjectedResponse {
  const single = Object.entries(multiValueHeaders ?? {}).map(([name, values]) => [name, values.join(", ")]);
  return { status: statusCode, headers: { ...headers, ...Object.fromEntries(single) }, body };
}

/** Those that give the request's content as a stream. */
export const STREAM_INJECTORS: Readonly<Record<string, Injector>> = {
  "serverless-http": async (target, request) => {
    const handler = serverlessHttp(target as serverlessHttp.Application);
    return resultOf((await handler(gatewayEvent(request), {})) as unknown as GatewayResult);
  },
  "@codegenie/serverless-express": async (target, request) => {
    const log = { error: () => {}, debug: () => {} };
    const handler = serverlessExpress({ app: { handle: callOf(target) } as never, log } as never);
    return resultOf((await handler(gatewayEvent(request), {} as never, undefined as never)) as GatewayResult);
  },
  // Last: it changes the prototypes of an Express that it is passed.
  "light-my-request": async (target, { method = "PUT", url, headers, body }) => {
    const hasNoLength = headers?.["Transfer-Encoding"] !== undefined;
    const { statusCode, ...rest } = await inject(callOf(target) as inject.DispatchFunc, {
      method: method as inject.InjectOptions["method"] & string,
      url,
      headers: { ...headers },
      ...(body === undefined ? {} : { payload: hasNoLength ? Readable.from([body.slice(0, 2), body.slice(2)]) : body }),
    });
    return { status: statusCode, headers: rest.headers, body: rest.payload };
  },
};

/** Those whose request is no stream. `isMute`: its objects emit no events, as is the package's default. */
export function mocks({ method = "PUT", url, headers }: InjectedRequest, isMute = false) {
  return createMocks(
    { method: method as RequestMethod, url, headers: { ...headers } },
    isMute ? {} : { eventEmitter: EventEmitter },
  );
}
