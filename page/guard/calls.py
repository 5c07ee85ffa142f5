"""Calls of the page's endpoints: validation of their bodies, and sentences for what fails later."""

import json
import logging
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Set
from typing import Any
from urllib.parse import unquote, urlsplit

import fastapi
import gradio as gr
from pydantic import ValidationError

from page.gradio_internals import BlockFunction, function, get_upload_folder, public_functions, wrap_calls
from page.guard.files import Files, owner, texts
from page.guard.refusal import RefusalError
from page.language.i18n import say

log = logging.getLogger("page")

_NAME = re.compile(r"[\w-]{1,100}")
_FIELDS = {"session_hash": str, "event_id": str, "fn_index": int, "trigger_id": int, "simple_format": bool}
_DEPTH = 30  # of lists and objects in one another
_FILE = "/gradio_api/file="
_ADDRESS = re.compile(r"\s*(data:|[a-z][a-z0-9+.-]*://)", re.IGNORECASE)


def check_call(demo: gr.Blocks, path: str, body: bytes, names: Set[str]) -> dict[str, Any]:
    """Check the body of a POST to gradio's API.

    Args:
        demo: The page.
        path: `/gradio_api/queue/join`, `/gradio_api/call/NAME`, or one of the helpers.
        body: JSON, as it came.
        names: Host names of this page.

    Returns:
        The body, with paths in place of the addresses of this page's own files.

    Raises:
        RefusalError: If it is something else, or not for an endpoint of this page.
    """
    call = _object(body)
    for file in _files(call):
        if own := _own_file(str(file.get("path") or file.get("url")), names):
            file["path"], file["url"] = own, None
    for field, kind in _FIELDS.items():
        value = call.get(field)
        if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is int)):
            raise RefusalError(400, f"`{field}` is {_short(value)}, expected {kind.__name__}.")
        if isinstance(value, str) and not _NAME.fullmatch(value):
            raise RefusalError(400, f"`{field}` is {_short(value)}, expected up to 100 letters, digits, - and _.")
    if path.endswith(("/cancel", "/reset")):
        needed = ("session_hash", "fn_index", "event_id") if path.endswith("/cancel") else ("event_id",)
        if missing := [field for field in needed if call.get(field) is None]:
            raise RefusalError(400, f"The body has no `{missing[0]}`.")
        return call
    if path.endswith(("/queue/join", "/run/predict")) and call.get("session_hash") is None:
        raise RefusalError(400, "The body has no `session_hash`: any word of your own that names your session.")
    if "/call/v2/" not in path:
        _check_data(_endpoint(demo, path, call), call.get("data"))
    else:
        _endpoint(demo, path, {})
        if others := [file for file in _files(call) if not _uploaded(file)]:
            raise RefusalError(422, _not_uploaded(others[0]))
    return call


def check_message(body: bytes, names: Set[str]) -> dict[str, Any]:
    """Check the body of a POST to gradio's MCP server, JSON-RPC.

    The server hands a tool's arguments to a client inside this process, which would write a data URL to the disk and
    read the file that a path names. So of files only the addresses of this page's own pass. In place of others the
    tool gets a sentence, which it refuses, and the agent reads in its answer, whichever way that goes.

    Args:
        body: JSON, as it came.
        names: Host names of this page.

    Returns:
        The body.

    Raises:
        RefusalError: If it is no JSON object.
    """
    message = _object(body)
    params = message.get("params")
    arguments = params.get("arguments") if isinstance(params, dict) else None
    if message.get("method") == "tools/call" and isinstance(arguments, dict):
        for name, value in arguments.items():
            files = [str(file.get("path") or file.get("url")) for file in _files(value)]
            files += [text for text in texts(value) if _ADDRESS.match(text)]
            if others := [file for file in files if not _own_file(file, names)]:
                arguments[name] = (
                    f"{_short(others[0])} is no upload of this page, and other files are not fetched: POST the file "
                    f"as form field `files` to /gradio_api/upload, and give this page's address followed by {_FILE} "
                    "and the path that comes back."
                )
                log.info("a tool was called with a file that is none: %s", _short(others[0]))
    return message


def _object(body: bytes) -> dict[str, Any]:
    """Read JSON that is an object, not too deep, of whole characters."""
    try:
        call = json.loads(body)
        depth = _depth(call)
        json.dumps(call, allow_nan=False, ensure_ascii=False).encode()  # nor a half of a character of two halves
    except (ValueError, RecursionError) as error:
        raise RefusalError(400, "The body is not JSON: send an object, as /gradio_api/info describes it.") from error
    if not isinstance(call, dict):
        raise RefusalError(400, f"The body is {_short(call)}, expected a JSON object.")
    if depth > _DEPTH:
        raise RefusalError(400, f"The body nests lists and objects {depth} deep, at most {_DEPTH} are read.")
    return call


def _endpoint(demo: gr.Blocks, path: str, call: dict[str, Any]) -> BlockFunction:
    """The function that a call is for."""
    if path.endswith(("/queue/join", "/run/predict")):
        fn = function(demo, call.get("fn_index"))
        if fn is None or fn.fn is None:  # what only the browser does
            raise RefusalError(404, "There is no endpoint of this `fn_index`; /gradio_api/info describes them.")
        if fn.queue and path.endswith("/run/predict"):  # only what takes no time is called past the queue
            raise RefusalError(404, f"Call /{fn.api_name} through the queue: POST /gradio_api/call/{fn.api_name}.")
        return fn
    name = path.rsplit("/", 1)[1]
    call.pop("fn_index", None)
    for fn in public_functions(demo):
        if fn.api_name == name:
            return fn
    names = ", ".join(sorted(f"/{fn.api_name}" for fn in public_functions(demo)))
    raise RefusalError(404, f"There is no endpoint /{name[:100]}; there are {names}.")


def _check_data(fn: BlockFunction, data: Any) -> None:
    """Fill in last inputs that have a default; refuse too few, of other kinds, or files that were not uploaded."""
    if not isinstance(data, list):
        raise RefusalError(400, f"`data` is {_short(data)}, expected a list of the inputs.")
    asked = [block for block in fn.inputs if not block.skip_api]
    defaults = [getattr(block, "value", None) for block in asked[len(data) :]]
    if None not in defaults:
        data.extend(defaults)  # as gradio's own client does
    inputs = fn.inputs if len(data) >= len(fn.inputs) else asked
    if len(data) < len(inputs) or len(data) > 2 * len(fn.inputs) + 10:
        raise RefusalError(422, f"`data` has {len(data)} entries, expected {len(asked)}.")
    labels = [str(getattr(block, "label", None) or type(block).__name__) for block in inputs]
    problems = [""] * len(inputs)
    for number, (block, value) in enumerate(zip(inputs, data, strict=False)):
        others = [file for file in _files(value) if not _uploaded(file)]
        if others:
            problems[number] = _not_uploaded(others[0])
        elif value is not None and (model := getattr(block, "data_model", None)):
            try:
                model.model_validate(value, context={"validate_meta": True})
            except (ValidationError, ValueError, TypeError, AttributeError):
                text = f"{labels[number]}: {_short(value)} came; /gradio_api/info says what is expected."
                problems[number] = text
    if any(problems):
        raise RefusalError(422, " ".join(filter(None, problems)), inputs=list(zip(labels, problems, strict=True)))


def _files(value: Any) -> Iterator[dict[str, Any]]:
    """All objects that gradio would take for files, however deep."""
    if isinstance(value, dict):
        if isinstance(value.get("path"), str) or isinstance(value.get("url"), str):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from _files(entry)


def _own_file(address: str, names: Set[str]) -> str | None:
    """The path of a file that was uploaded or made here, of its address on this page; None for any other text."""
    try:
        url = urlsplit(address)
        host = url.hostname
    except ValueError:
        return None
    path = unquote(url.path.partition(_FILE)[2])
    own = url.scheme in ("http", "https") and host in names and _uploaded({"path": path or "/"})
    return path if own else None


def _uploaded(file: dict[str, Any]) -> bool:
    path, url = file.get("path"), file.get("url")
    if not path:
        return not url
    if not isinstance(path, str) or (isinstance(url, str) and url.lower().startswith("data:")):
        return False
    try:
        real = os.path.realpath(path, strict=True)
    except (OSError, ValueError):
        return False
    return real.startswith(os.path.realpath(get_upload_folder()) + os.sep)


def _not_uploaded(file: dict[str, Any]) -> str:
    path, url = file.get("path"), file.get("url")
    if isinstance(url, str) and url.lower().startswith("data:"):
        return "Send the file itself: data URLs are not accepted."
    if re.match(r"[a-z]+://", str(path or url), re.IGNORECASE):
        return "Send the file itself: addresses are not fetched."
    return f"{_short(path)} is not a file that was uploaded here: send it to /gradio_api/upload first."


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def install_error_messages(demo: gr.Blocks, files: Files) -> None:
    """Make every failure of an endpoint a sentence for its caller.

    What fails before the function runs is the caller's doing, and one line in the log; what fails in it or after it is
    a fault of the page, and the log has all of it. Results are noted as their session's.
    """

    async def preprocess(read_inputs: Callable[[], Awaitable[Any]]) -> Any:
        try:
            return await read_inputs()
        except gr.Error:
            raise
        except Exception as error:
            log.info("inputs refused: %s: %.200r", type(error).__name__, str(error))
            text = "The inputs are not what this endpoint expects; /gradio_api/info describes them."
            raise gr.Error(text, title="Not usable", print_exception=False) from error

    async def process(call: Callable[[], Awaitable[Any]], request: fastapi.Request | None, session: str | None) -> Any:
        try:
            done = await call()
            if request is not None and request.client:
                files.claim(done["data"], owner(session, request.client.host))
            return done
        except gr.Error:
            raise
        except Exception as error:
            log.exception("an endpoint failed")
            text = "This failed for a reason of the server's own: try again, or another photograph."
            title, text = (say(request, words) for words in ("Not done", text))
            raise gr.Error(text, title=title, print_exception=False) from error

    wrap_calls(demo, preprocess, process)
