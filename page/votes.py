"""Votes: which result visitors keep without knowing whose it is, in a local file and, if wanted, in a Hub data set."""

import datetime
import json
import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from huggingface_hub import CommitScheduler, snapshot_download

from colorization.atomic import written
from colorization.zoo import ZOO
from page.language.i18n import say

log = logging.getLogger("page")

_PER_FILE = 1000
_FILES = 100  # of one process; more votes are not noted
_EVERY_MINUTES = 10
_PATH = "votes"  # in the data set


class Votes:
    """The votes of all visitors; one line of JSON each, without anything about the visitor or the photograph.

    Args:
        folder: Where the files of votes lie; each process writes its own. A file is written anew for each vote, as a
            mounted bucket of the Hub does not append.
        dataset: Hub data set ("namespace/name") that the folder is pushed to, and whose other votes are counted too,
            every ten minutes; or None.
    """

    def __init__(self, folder: Path, dataset: str | None = None) -> None:
        self.folder = folder
        self._process, self._files = secrets.token_hex(8), 0
        self._lines: list[str] = []  # of the newest file
        self._published: Path | None = None  # a copy of the data set's files
        self._lock = threading.Lock()
        if dataset:
            threading.Thread(target=self._share, args=[dataset], name="votes", daemon=True).start()

    def add(self, kept: str, shown: list[str], strength: float, origins: Mapping[str, str]) -> None:
        """Note a vote.

        Args:
            kept: The model whose result a visitor would keep.
            shown: All models that they chose from, in the order that they saw them.
            strength: Of color.
            origins: Where each model's weights came from.
        """
        time = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        vote = {"time": time, "kept": kept, "shown": shown, "strength": strength}
        vote["origins"] = {name: origins[name] for name in shown}
        with self._lock:
            if len(self._lines) == _PER_FILE:
                self._lines, self._files = [], self._files + 1
            if self._files == _FILES:
                return
            self._lines.append(json.dumps(vote) + "\n")
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with written(self.folder / f"votes-{self._process}-{self._files}.jsonl") as file:
                    file.write_text("".join(self._lines), encoding="utf-8")
            except OSError as error:  # a vote is not worth a failure, and the next one may write this one too
                log.warning("a vote was not noted: %s", error)

    def counts(self) -> tuple[Counter[str], Counter[str]]:
        """How often each model was kept, and how often it was shown; lines that are no votes are skipped."""
        kept: Counter[str] = Counter()
        shown: Counter[str] = Counter()
        files = {file.name: file for file in self._published.glob("*.jsonl")} if self._published else {}
        files |= {file.name: file for file in self.folder.glob("*.jsonl")}
        for file in files.values():
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    vote: Any = json.loads(line)
                    names = [name for name in vote["shown"] if name in ZOO]
                    if vote["kept"] not in names:
                        continue
                except (ValueError, KeyError, TypeError):
                    continue
                kept[vote["kept"]] += 1
                shown.update(names)
        return kept, shown

    def table(self, request: gr.Request | None = None) -> str:
        """Markdown: each model's share of wins with its 95 % interval; nothing before the first vote.

        Args:
            request: Of the visitor, whose language the text is in.
        """
        kept, shown = self.counts()
        if not shown:
            return ""
        lines = [
            f"{say(request, '## Blind votes')}\n",
            say(request, "Which result visitors would keep, without its name. Votes: {}").format(sum(kept.values())),
            "",
            f"| {' | '.join(say(request, head) for head in ('model', 'kept', 'of', 'share', '95 % interval'))} |",
            "|---|---|---|---|---|",
        ]
        for name, entry in ZOO.items():
            low, high = wilson(kept[name], shown[name])
            share = f"{kept[name] / shown[name]:.0%}" if shown[name] else "-"
            lines.append(f"| {entry.title} | {kept[name]} | {shown[name]} | {share} | {low:.0%} - {high:.0%} |")
        return "\n".join(lines)

    def _share(self, dataset: str) -> None:
        """Push to a data set and fetch what it has, for ever; the Hub may be slow or refuse, which delays nobody."""
        try:
            scheduler = CommitScheduler(
                repo_id=dataset,
                repo_type="dataset",
                folder_path=self.folder,
                path_in_repo=_PATH,
                allow_patterns="*.jsonl",
                every=_EVERY_MINUTES,
            )
        except Exception as error:  # a thread's last words would be lost
            log.warning("votes stay here, %s does not take them: %s", dataset, error)
            return
        self._lock = scheduler.lock
        log.info("votes go to the data set %s every %d minutes", dataset, _EVERY_MINUTES)
        while True:
            try:
                own = [f"{_PATH}/{file.name}" for file in self.folder.glob("*.jsonl")]
                found = snapshot_download(
                    dataset, repo_type="dataset", allow_patterns=f"{_PATH}/*.jsonl", ignore_patterns=own
                )
                self._published = Path(found) / _PATH
            except Exception as error:
                log.warning("votes of earlier visitors are not counted, %s does not give them: %s", dataset, error)
            time.sleep(60 * _EVERY_MINUTES)


def votes_from(settings: Mapping[str, str]) -> Votes:
    """Read from the environment where votes go: COLORIZATION_VOTES_DIR and COLORIZATION_VOTES_DATASET."""
    data = Path(settings.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    folder = Path(settings.get("COLORIZATION_VOTES_DIR") or data / "landscape-colorization" / "votes")
    return Votes(folder, settings.get("COLORIZATION_VOTES_DATASET", "").strip() or None)


def wilson(wins: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share, also of few or extreme ones; 0 to 1 if there is nothing.

    Source:
        Wilson 1927, "Probable inference, the law of succession, and statistical inference", as scipy has it.
    """
    if not total:
        return 0.0, 1.0
    from scipy.stats import binomtest  # a second to import, and only the Models tab needs it

    interval = binomtest(wins, total).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)
