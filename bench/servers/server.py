"""The same on aiohttp: refuses what is declared larger than the limit, reads the rest. Prints its port."""
import asyncio

from aiohttp import web

LIMIT = 10 << 20


async def on_expect(request):
    if request.content_length and request.content_length > LIMIT:
        raise web.HTTPRequestEntityTooLarge(LIMIT, request.content_length, headers={"Connection": "close"})
    if request.path == "/pending":
        await asyncio.Event().wait()
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def files(request):
    if request.content_length and request.content_length > LIMIT:
        raise web.HTTPRequestEntityTooLarge(LIMIT, request.content_length, headers={"Connection": "close"})
    async for _ in request.content.iter_any():
        pass
    return web.Response(status=201)


async def main():
    app = web.Application(client_max_size=LIMIT)
    app.router.add_put("/{path}", files, expect_handler=on_expect)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
