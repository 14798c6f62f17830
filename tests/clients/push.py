"""Pushes content without waiting for anything; prints one line of JSON per exchange.

python3 push.py URL length|chunked BYTES RUNS PARALLEL
"""

import http.client
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

address, framing, size, runs, parallel = sys.argv[1:]
url = urlsplit(address)
content = b"x" * int(size)
PIECE = 65536


def pieces():
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]


def push(_):
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    try:
        # http.client sends everything before it reads anything.
        if framing == "chunked":
            connection.request("PUT", url.path, pieces(), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
        else:
            connection.request("PUT", url.path, content)
        response = connection.getresponse()
        response.read()
        return {"status": response.status}
    except Exception as error:
        return {"error": repr(error)}
    finally:
        connection.close()


with ThreadPoolExecutor(int(parallel)) as executor:
    for exchange in executor.map(push, range(int(runs))):
        print(json.dumps(exchange))
