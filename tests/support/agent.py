"""An agent: the page's MCP server, asked by the protocol's own client."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

import httpx
from mcp import ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from support.served import API


@contextlib.asynccontextmanager
async def streamable(url, local_address=None):
    """Today's transport, from an address of this machine."""
    transport = httpx.AsyncHTTPTransport(local_address=local_address)
    async with (
        httpx.AsyncClient(transport=transport, timeout=60, follow_redirects=True) as client,
        streamable_http_client(f"{url}{API}/mcp/", http_client=client) as (read, write, _),
    ):
        yield read, write


def sse(url):
    """The one before it, by which the Hub's own gateway asks Spaces."""
    return sse_client(f"{url}{API}/mcp/sse", timeout=60)


@contextlib.asynccontextmanager
async def agent(url, transport=streamable, **options):
    """A session with a page's MCP server."""
    async with transport(url, **options) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        yield session


def run(coroutine):
    """Run a coroutine in a thread of its own: playwright has an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
