"""Results for agents, by MCP: a small copy of each picture to look at, and the address of the full-size file."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image

from colorization.encode import encoded
from page.gradio_internals import MCPServer
from page.photograph import small

_SIDE = 768  # px; five of these fit into the megabyte that some agents take


def store_copy(picture: Image.Image, file: str, model: str) -> None:
    """Write the small copy of a result beside its file, with the label of the model whose colors it has."""
    _copy_of(file).write_bytes(encoded(small(picture, _SIDE), "jpeg", 85, model))


def content(server: MCPServer, data: list[Any], root_url: str) -> list[Any]:
    """The outputs of a call in MCP's terms: small copies of pictures, and addresses of files."""
    outputs = data[0] if len(data) == 1 and isinstance(data[0], list | tuple) else data
    parts: list[Any] = []
    for output in outputs:
        if isinstance(output, dict) and output.get("path"):
            file = str(output["path"])
            copy = _copy_of(file)
            if copy.is_file():
                coded = base64.b64encode(copy.read_bytes()).decode()
                parts.append(server.types.ImageContent(type="image", data=coded, mimeType="image/jpeg"))
            text = f"{Path(file).stem}, at full size: {root_url}/gradio_api/file={quote(file)}"
            parts.append(server.types.TextContent(type="text", text=text))
        elif output:
            text = output if isinstance(output, str) else json.dumps(output)
            parts.append(server.types.TextContent(type="text", text=text))
    return parts


def _copy_of(file: str) -> Path:
    return Path(file).with_suffix(".small.jpg")
