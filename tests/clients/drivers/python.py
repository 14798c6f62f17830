"""Python's clients behind the protocol of ../suite/driver.mjs.

python3 python.py CLIENT plain|expect
"""

import asyncio
import base64
import http.client
import platform
import sys
from urllib.parse import urlsplit

client, mode = sys.argv[1:]
EXPECTATION = {"Expect": "100-continue"} if mode == "expect" else {}
TIMEOUT = 30
PIECE = 65536


def pieces(content):
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]


async def async_pieces(content):
    for piece in pieces(content):
        yield piece


class Requests:
    def __init__(self):
        import requests

        self.version = requests.__version__
        self.session = requests.Session()
        self.session.trust_env = False

    def put(self, url, content, is_chunked, fields):
        data = pieces(content) if is_chunked else content
        return self.session.put(url, data=data, headers={**EXPECTATION, **fields}, timeout=TIMEOUT).status_code


class Urllib3:
    def __init__(self):
        import urllib3

        self.version = urllib3.__version__
        self.pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT)

    def put(self, url, content, is_chunked, fields):
        body = pieces(content) if is_chunked else content
        return self.pool.request("PUT", url, body=body, headers={**EXPECTATION, **fields}, chunked=is_chunked).status


class Httpx:
    def __init__(self):
        import httpx

        self.version = httpx.__version__
        self.client = httpx.Client(trust_env=False, timeout=TIMEOUT)

    def put(self, url, content, is_chunked, fields):
        body = pieces(content) if is_chunked else content
        return self.client.put(url, content=body, headers={**EXPECTATION, **fields}).status_code


class HttpClient:
    version = platform.python_version()
    connection = None

    def put(self, url, content, is_chunked, fields):
        address = urlsplit(url)
        self.connection = self.connection or http.client.HTTPConnection(
            address.hostname, address.port, timeout=TIMEOUT
        )
        try:
            body = pieces(content) if is_chunked else content
            headers = {**EXPECTATION, **fields}
            if is_chunked:
                headers["Transfer-Encoding"] = "chunked"
            self.connection.request("PUT", address.path, body, headers, encode_chunked=is_chunked)
            response = self.connection.getresponse()
            response.read()
            return response.status
        except Exception:
            self.connection.close()
            raise


class Aiohttp:
    def __init__(self):
        import aiohttp

        self.version = aiohttp.__version__
        self.loop = asyncio.new_event_loop()
        self.timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        self.session = self.loop.run_until_complete(self.start(aiohttp))

    @staticmethod
    async def start(aiohttp):
        return aiohttp.ClientSession()

    def put(self, *upload):
        return self.loop.run_until_complete(self.put_async(*upload))

    async def put_async(self, url, content, is_chunked, fields):
        data = async_pieces(content) if is_chunked else content
        expects = mode == "expect"
        async with self.session.put(
            url, data=data, headers=fields, expect100=expects, timeout=self.timeout
        ) as response:
            await response.read()
            return response.status


class Tornado:
    def __init__(self):
        import tornado
        from tornado.httpclient import AsyncHTTPClient, HTTPRequest

        self.version = tornado.version
        self.make_request = HTTPRequest
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.client = self.loop.run_until_complete(self.start(AsyncHTTPClient))

    @staticmethod
    async def start(make_client):
        return make_client()

    def put(self, url, content, is_chunked, fields):
        async def produce(write):
            for piece in pieces(content):
                await write(piece)

        body = {"body_producer": produce} if is_chunked else {"body": content}
        request = self.make_request(
            url,
            method="PUT",
            headers=fields,
            expect_100_continue=mode == "expect",
            request_timeout=TIMEOUT,
            **body,
        )
        return self.loop.run_until_complete(self.client.fetch(request, raise_error=False)).code


class Boto3:
    """The first credentials are wrong; those of a repeat come from its Authorization field."""

    client = None

    def __init__(self):
        import boto3
        import botocore.config
        import botocore.exceptions
        import botocore.handlers

        self.version = boto3.__version__
        self.add_expect_header = botocore.handlers.add_expect_header
        self.make_client = boto3.client
        self.refused = botocore.exceptions.ClientError
        self.config = botocore.config.Config(
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
            proxies={},
            read_timeout=TIMEOUT,
        )

    def start(self, endpoint):
        s3 = self.make_client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="nobody",
            aws_secret_access_key="secret",
            config=self.config,
        )
        if mode == "plain":
            s3.meta.events.unregister("before-call.s3", self.add_expect_header)
        return s3

    def put(self, url, content, _is_chunked, fields):
        address = urlsplit(url)
        self.client = self.client or self.start(f"http://{address.netloc}")
        user = base64.b64decode(fields.get("Authorization", "")[6:]).decode().split(":")[0]
        self.client._request_signer._credentials.access_key = user or "nobody"
        bucket, key = address.path[1:].split("/")
        try:
            answer = self.client.put_object(Bucket=bucket, Key=key, Body=content)
        except self.refused as error:
            answer = error.response
        return answer["ResponseMetadata"]["HTTPStatusCode"]


def upload(credentials, framing, url, file):
    with open(file, "rb") as stream:
        content = stream.read()
    is_chunked = framing == "chunked"
    try:
        status = session.put(url, content, is_chunked, {})
        if status != 401 or credentials == "-":
            return [str(status), ""]
        basic = base64.b64encode(credentials.encode()).decode()
        return [str(session.put(url, content, is_chunked, {"Authorization": f"Basic {basic}"})), "caller"]
    except Exception as error:
        return ["0", " ".join(repr(error).split())]


session = {
    "requests": Requests,
    "urllib3": Urllib3,
    "httpx": Httpx,
    "http.client": HttpClient,
    "aiohttp": Aiohttp,
    "tornado": Tornado,
    "boto3": Boto3,
}[client]()

print(f"ready\t{session.version}", flush=True)
for line in sys.stdin:
    user, form, url_1, file_1, url_2, file_2 = line.rstrip("\n").split("\t")
    print("\t".join(upload(user, form, url_1, file_1) + upload("-", "length", url_2, file_2)), flush=True)
