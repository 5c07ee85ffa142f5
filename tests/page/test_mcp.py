"""The page as an MCP server, asked by the protocol's own client."""

import asyncio
import base64
import http.server
import io
import threading
from urllib.parse import urlsplit

import pytest
from conftest import NAMES, encoded
from PIL import Image
from support.agent import agent, run, sse, streamable
from support.served import API, Served, file_of


@pytest.fixture(scope="module")
def page(server):
    """The page that other tests look at too."""
    page = Served(None, None, server.rstrip("/"))
    with page.http:
        yield page


def ask(page, *calls, transport=streamable, **options):
    """Call the tool, one time after the other; the results."""

    async def work():
        async with agent(page.url, transport) as session:
            return [await session.call_tool("colorize", arguments, **options) for arguments in calls]

    return run(work())


def address(page, photograph):
    return f"{page.url}{API}/file={page.upload(encoded(photograph)['bytes'])}"


def test_there_is_one_tool_which_says_in_english_what_it_takes(page):
    async def tools():
        async with agent(page.url) as session:
            return (await session.list_tools()).tools

    (tool,) = run(tools())
    assert tool.name == "colorize"
    assert tool.inputSchema["properties"].keys() == {"file", "strength", "guidance"}
    assert tool.inputSchema["required"] == ["file"]
    assert all(about["description"] for about in tool.inputSchema["properties"].values())
    for path in (f"{API}/info", f"{API}/openapi.json", f"{API}/mcp/schema"):
        text = page.http.get(path).text
        assert "colorize" in text and "__i18n__" not in text, path


@pytest.mark.parametrize("progress", [False, True])
def test_an_agent_sees_a_photograph_in_color_and_where_its_full_size_is(page, photograph, progress):
    photograph = photograph.resize((1500, 1000)).rotate(progress)
    heard = []

    async def hear(*words):
        heard.append(words)

    options = {"progress_callback": hear} if progress else {}
    (result,) = ask(page, {"file": address(page, photograph)}, **options)
    assert not result.isError and bool(heard) == progress
    texts = [entry.text for entry in result.content if entry.type == "text"]
    names = ["original", "input", *NAMES]
    places = dict(text.split(", at full size: ") for text in texts if ", at full size: " in text)
    assert list(places) == names
    files = [base64.b64decode(entry.data) for entry in result.content if entry.type == "image"]
    assert [b"compositeWithTrainedAlgorithmicMedia" in file for file in files] == [name in NAMES for name in names]
    pictures = [Image.open(io.BytesIO(file)) for file in files]
    for name, picture in zip(names, pictures, strict=True):
        whole = page.http.get(places[name]).content
        assert picture.format == "JPEG" and max(picture.size) == 768
        assert Image.open(io.BytesIO(whole)).size == photograph.size
    assert sum(len(entry.data) for entry in result.content if entry.type == "image") < 1_000_000
    assert sum("embedded" in text for text in texts) == 3 and any("PSNR" in text for text in texts)


@pytest.mark.parametrize("transport", [streamable, sse])
def test_only_what_was_uploaded_here_is_read(page, photograph, tmp_path, transport):
    """Neither what another address has, nor a file of the server, nor data; and nobody is asked for it."""
    (tmp_path / "old.png").write_bytes(encoded(photograph)["bytes"])
    asked = []
    own = address(page, photograph)
    path = own.partition("file=")[2]
    with http.server.ThreadingHTTPServer(("127.0.0.2", 0), lambda *given: asked.append(given)) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        outside = f"http://127.0.0.2:{site.server_port}"
        strange = [
            f"{outside}/old.png",
            f"{outside}{API}/file={path}",
            f"{outside}{API}/file=/etc/hostname",
            f"{page.url}{API}/file=/etc/hostname",
            f"{page.url}{API}/file={path}/../../../../../etc/hostname",
            f"HTTP://127.0.0.2:{site.server_port}/old.png",
            f"ftp://127.0.0.2:{site.server_port}/old.png",
            f"data:image/png;base64,{base64.b64encode(encoded(photograph)['bytes']).decode()[:1000]}",
            str(tmp_path / "old.png"),
            {"path": str(tmp_path / "old.png"), "meta": {"_type": "gradio.FileData"}},
            {"path": path, "url": f"{outside}/old.png", "meta": {"_type": "gradio.FileData"}},
            ["/etc/hostname"],
        ]
        results = ask(page, *({"file": file} for file in strange), {"file": own}, transport=transport)
        site.shutdown()
    for file, result in zip(strange, results[:-1], strict=True):
        assert result.isError and all(entry.type == "text" for entry in result.content), file
    assert "to /gradio_api/upload" in results[0].content[0].text
    assert not asked and not results[-1].isError


def test_programs_may_give_the_address_of_an_upload_too(page, photograph):
    """Not agents alone: what the upload gave is taken by its address on this page, under any of the page's names."""
    for name in (urlsplit(page.url).netloc, "localhost:1"):
        file = address(page, photograph).replace(urlsplit(page.url).netloc, name)
        _, data = page.call([file_of(file), 1, None])
        assert data[1]["path"].endswith("input.png"), data
    refused, _ = page.call([file_of(address(page, photograph).replace("127.0.0.1", "another.example")), 1, None])
    assert refused.status_code == 422 and "addresses are not fetched" in refused.text


def test_agents_of_several_visitors_have_places_of_their_own(page, photograph):
    """gradio calls the page for all of them in one session, which has two places, and from one address."""
    files = [address(page, photograph.rotate(number)) for number in range(2, 5)]

    async def visit(file, number):
        async with agent(page.url, local_address=f"127.0.0.{number}") as session:
            return await asyncio.gather(*(session.call_tool("colorize", {"file": file}) for _ in range(2)))

    async def work():
        return await asyncio.gather(*(visit(file, number) for number, file in enumerate(files, 2)))

    large = page.upload(encoded(photograph.resize((4000, 2600)), "jpeg")["bytes"])
    assert page.join([file_of(large), 1, None], "blocker").status_code == 200  # so that all of them must wait
    assert [result.isError for pair in run(work()) for result in pair] == [False] * 6
