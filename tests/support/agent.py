"""An agent: the page's MCP server, asked by the protocol's own client."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from support.served import API


@contextlib.asynccontextmanager
async def agent(url, local_address=None):
    """A session with a page's MCP server, from an address of this machine."""
    transport = httpx.AsyncHTTPTransport(local_address=local_address)
    async with (
        httpx.AsyncClient(transport=transport, timeout=60, follow_redirects=True) as client,
        streamable_http_client(f"{url}{API}/mcp/", http_client=client) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


def run(coroutine):
    """Run a coroutine in a thread of its own: playwright has an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
