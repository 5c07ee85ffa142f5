"""The models that a page uses: the embedded ones at once, those of the Hub as soon as they are there and checked."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from colorization import hub
from colorization.colorizer import Colorizer
from colorization.sources import LoadError, locate
from colorization.zoo import ZOO, load, read

log = logging.getLogger("colorization")


@dataclass(frozen=True)
class Served:
    """A model in use, and where it came from."""

    model: Colorizer
    origin: str
    """"embedded", or "namespace/name@commit"."""
    folder: Path
    """Its files: weights, config, metrics and training record."""


@dataclass(frozen=True)
class HubModels:
    """Which repositories of the Hub to use."""

    namespace: str
    prefix: str = "landscape-colorization"
    revisions: dict[str, str] = field(default_factory=dict)
    """Branch, tag or commit by model name; the main branch where there is none."""


def hub_models(settings: Mapping[str, str]) -> HubModels | None:
    """Read from the environment which models of the Hub to use; None if the embedded ones are to stay.

    Raises:
        ValueError: If the revisions name no model, or are not written as model=revision.
    """
    namespace = settings.get("COLORIZATION_HUB_NAMESPACE", "").strip()
    revisions = {}
    for pair in filter(None, settings.get("COLORIZATION_HUB_REVISIONS", "").replace(" ", "").split(",")):
        name, _, revision = pair.partition("=")
        if name not in ZOO or not revision:
            raise ValueError(f"COLORIZATION_HUB_REVISIONS has {pair!r}, expected model=revision of {', '.join(ZOO)}")
        revisions[name] = revision
    prefix = settings.get("COLORIZATION_HUB_PREFIX") or HubModels.prefix
    return HubModels(namespace, prefix, revisions) if namespace else None


class Models:
    """What is served. A request takes `current()` once, and keeps it while models are swapped behind it.

    Attributes:
        problems: One sentence for each model that could not be had from the Hub, by its name.
    """

    def __init__(self) -> None:
        self._served = {name: Served(load(name), "embedded", locate(name)) for name in ZOO}
        self.problems: dict[str, str] = {}

    def current(self) -> dict[str, Served]:
        """The models by their names in the zoo, as they are now; later swaps leave what was returned alone."""
        return self._served

    def pull(self, source: HubModels) -> threading.Thread:
        """Fetch, check and swap in the background, one model after the other; returns the thread that does it."""
        thread = threading.Thread(target=self._pull, args=[source], name="pull", daemon=True)
        thread.start()
        return thread

    def _pull(self, source: HubModels) -> None:
        for name in ZOO:
            repo_id = hub.repo_id(source.namespace, name, source.prefix)
            try:
                served = pulled(name, repo_id, source.revisions.get(name))
            except LoadError as error:
                self.problems[name] = str(error)
                log.warning("%s stays as it is: %s", ZOO[name].title, error)
            except Exception as error:  # a thread's last words would be lost
                self.problems[name] = f"{repo_id}: unexpected {type(error).__name__}, see the log"
                log.exception("%s stays as it is", ZOO[name].title)
            else:
                self._served = self._served | {name: served}
                log.info("%s now comes from %s", ZOO[name].title, served.origin)


def pulled(name: str, repo_id: str, revision: str | None) -> Served:
    """Take one model from the Hub, if it is fit to be shown.

    Raises:
        LoadError: If the Hub does not give it, it is not usable, or it is another model.
    """
    folder = locate(repo_id, revision)
    model = read(folder, repo_id)
    if model.name != name:
        raise LoadError(f"{repo_id} holds a {model.name}, expected {name}")
    return Served(model, f"{repo_id}@{folder.name[:7]}", folder)
