"""Server: the page's models, limits, log and signals around gradio's own server."""

import asyncio
import atexit
import contextlib
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NoReturn

import gradio as gr
from starlette.middleware import Middleware

from colorization import __version__
from colorization.decode import STRANGERS
from page import mcp
from page.demo import LOOK, build_demo
from page.gradio_internals import LAUNCH as PRIVATE
from page.gradio_internals import answer_agents_with, describe_objects, end_open_connections, quiet_abandoned_loops
from page.guard import calls
from page.guard.files import PER_OWNER, TOTAL, Files
from page.guard.middleware import Guard
from page.guard.queue_limits import PER_SESSION, WAITING, QueueLimits
from page.models import Models, hub_models
from page.options import Options
from page.workers import decode as worker
from page.workers.sandbox import trim

log = logging.getLogger("page")

LAUNCH: dict[str, Any] = {
    "max_file_size": STRANGERS.bytes,
    "show_error": False,
    "strict_cors": True,
    "enable_monitoring": False,
    "run_history": False,
    "state_session_capacity": 500,
    "allowed_paths": [],
    "ssr_mode": False,  # node would answer past the guard
    "mcp_server": True,
    "quiet": True,
    "prevent_thread_lock": True,
    **PRIVATE,
}
FINISH_SECONDS = 7.0  # for work at hand when the page is to end
TRIM_SECONDS = 5.0
_WAKE_SECONDS = 0.2  # the main thread runs the signals' handlers, and sleeps on if another thread has taken the signal
END_SECONDS = 9.5  # after which the process ends whatever still runs


def serve(options: Options) -> None:
    """Serve the page until a signal ends it; exits with 0 then, with 1 if it cannot be served.

    Args:
        options: How; the folder for uploads is `GRADIO_TEMP_DIR`, which is this process's own and is removed.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in ("colorization", "page"):
        logging.getLogger(name).setLevel(options.log_level)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # the guard says what is wrong with a form
    log.info("landscape-colorization %s, gradio %s", __version__, gr.__version__)
    try:
        source = hub_models(os.environ)
        models = Models()
    except ValueError as error:
        _give_up(error)
    for name, served in models.current().items():
        log.info("model %s: %s", name, served.origin)
    run(build_demo(models), options, started=lambda: source and models.pull(source), **LOOK)


def run(demo: gr.Blocks, options: Options, started: Callable[[], Any] = lambda: None, **look: Any) -> NoReturn:
    """Serve any page as `serve` does.

    Args:
        demo: The page.
        options: How it is served.
        started: Called once it answers.
        look: Further arguments of `launch()`.
    """
    quiet_abandoned_loops()
    stopped = _stopped()
    queue_limits, files = QueueLimits(demo), Files(Path(os.environ["GRADIO_TEMP_DIR"]))
    try:
        launch(demo, options, queue_limits, files, **look)
    except (ValueError, OSError) as error:
        _give_up(error)
    started()
    _log_limits(demo, options)
    while not stopped.wait(_WAKE_SECONDS):
        pass
    threading.Thread(target=_end_anyway, daemon=True).start()
    if queue_limits.loop:
        asyncio.run_coroutine_threadsafe(queue_limits.finish(FINISH_SECONDS), queue_limits.loop).result()
    end_open_connections(demo, 1)
    demo.close(verbose=False)
    files.close()
    log.info("ended")
    _leave()


def launch(demo: gr.Blocks, options: Options, queue_limits: QueueLimits, files: Files, **look: Any) -> None:
    """Start gradio's server behind the guard; raises `OSError` if the port was taken meanwhile."""
    calls.install_error_messages(demo, files)
    answer_agents_with(mcp.content)
    describe_objects(demo)

    @contextlib.asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(work) for work in (queue_limits.watch(), files.watch(), _trim())]
        queue_limits.loop = asyncio.get_running_loop()
        yield
        for task in tasks:
            task.cancel()

    guard = Middleware(Guard, demo=demo, options=options, queue_limits=queue_limits, files=files)
    demo.launch(
        server_name=options.host,
        server_port=options.port,
        share=options.share,
        root_path=options.root_path,
        app_kwargs={"middleware": [guard], "lifespan": lifespan},
        **LAUNCH,
        **look,
    )


def _log_limits(demo: gr.Blocks, options: Options) -> None:
    """Say in the log what is allowed, and where the page is."""
    log.info(
        "limits: %d MB and %d megapixels a photograph, %.0f s to decode it; %d places in the queue, %d a session; "
        "%.1f GB of files, %.1f a session",
        *(
            STRANGERS.bytes / 1e6,
            STRANGERS.pixels / 1e6,
            worker.SECONDS,
            WAITING,
            PER_SESSION,
            TOTAL / 1e9,
            PER_OWNER / 1e9,
        ),
    )
    if options.hosts is None and not options.space:
        log.info("requests for any host name are answered; --trusted-host NAME bounds them")
    log.info("serving at http://%s:%d/%s", options.host, options.port, f" and {demo.share_url}" * bool(demo.share_url))


async def _trim() -> None:
    """Give free memory back every few seconds, when the large pictures of a request are gone."""
    while True:
        await asyncio.sleep(TRIM_SECONDS)
        await asyncio.to_thread(trim)


def _stopped() -> threading.Event:
    """Set by the first SIGTERM or SIGINT; the second ends the process at once."""
    stopped = threading.Event()

    def stop(number: int, _: Any) -> None:
        log.info("%s: finishing what is at work", signal.Signals(number).name)
        signal.signal(number, signal.SIG_DFL)
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopped


def _end_anyway() -> None:
    time.sleep(END_SECONDS)
    os._exit(0)


def _give_up(error: Exception) -> NoReturn:
    shutil.rmtree(os.environ["GRADIO_TEMP_DIR"], ignore_errors=True)
    sys.exit(f"app: {error}")


def _leave() -> NoReturn:
    """End the process at once: taking torch apart, object by object, takes longer than all that was at work."""
    atexit._run_exitfuncs()
    logging.shutdown()
    os._exit(0)
