"""Options of `python app.py`, and the environment variables of gradio that they come from."""

import argparse
import socket
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from colorization import __version__

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LOG_LEVELS = ("debug", "info", "warning", "error")


class Options(NamedTuple):
    """How the page is served."""

    host: str
    port: int
    share: bool
    root_path: str | None
    hosts: frozenset[str] | None
    """Names that requests may be addressed to; None for any: where the page's own are not known, and on a Space, which
    only the Hub's proxy reaches."""
    space: bool
    """Whether this is a Hugging Face Space, whose proxy tells the address of each client."""
    log_level: str


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Read the options; prints help, or what is wrong with them, and exits where there is nothing to serve."""
    parser = argparse.ArgumentParser(
        prog="app.py",
        description="Serve the page: one photograph, three models, side by side.",
        epilog="gradio's GRADIO_SERVER_NAME, GRADIO_SERVER_PORT, GRADIO_SHARE and GRADIO_ROOT_PATH are the defaults; "
        "COLORIZATION_HUB_NAMESPACE takes the models from a namespace of the Hub.",
    )
    get = environment.get
    parser.add_argument("--host", default=get("GRADIO_SERVER_NAME") or "127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--port",
        default=get("GRADIO_SERVER_PORT") or "7860",
        help="port to listen on, 7860 if none is given; 0 takes any free one",
    )
    parser.add_argument(
        "--share", action="store_true", default=get("GRADIO_SHARE", "").lower() == "true", help="open a public link"
    )
    parser.add_argument("--root-path", default=get("GRADIO_ROOT_PATH") or None, help="path or URL behind a proxy")
    parser.add_argument(
        "--trusted-host",
        action="append",
        default=[],
        metavar="NAME",
        help="name under which the page is reached, where it is not the address it listens on; may be repeated",
    )
    parser.add_argument("--log-level", choices=_LOG_LEVELS, default="info", help="the default is info")
    parser.add_argument("--version", action="version", version=__version__)
    given = parser.parse_args(arguments)
    if not given.port.isascii() or not given.port.isdigit() or int(given.port) > 65535:
        parser.error(f"--port or GRADIO_SERVER_PORT is {given.port!r}, expected a number of 0 to 65535")
    try:
        port = _free_port(given.host, int(given.port))
    except OSError as error:
        text = "stop what listens there, or give another --port (0 takes any free one)"
        parser.error(f"cannot listen on {given.host}, port {given.port}: {error.strerror}: {text}")
    return Options(
        host=given.host,
        port=port,
        share=given.share,
        root_path=given.root_path,
        hosts=None if get("SPACE_ID") else _hosts(given),
        space=bool(get("SPACE_ID")),
        log_level=given.log_level.upper(),
    )


def _hosts(given: argparse.Namespace) -> frozenset[str] | None:
    """All names of the page, in lower case; None if it may have others."""
    names = {name.strip().lower() for name in given.trusted_host}
    names.add(urlsplit(given.root_path or "").hostname or "")
    names.discard("")
    host = given.host.strip("[]").lower()
    if host in LOOPBACK and not (given.share and not names):
        names |= LOOPBACK
    return frozenset(names | {host}) if names else None


def is_address(name: str) -> bool:
    """Whether a host is written as a number and not as a name."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _free_port(host: str, port: int) -> int:
    """The port, if it is free; any free one for 0; raises `OSError` if it is taken or not of this machine."""
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])
