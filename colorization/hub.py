"""Reading from the Hub: the files of one commit, no waiting for a silent Hub, errors in plain words."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

PATIENCE = 10.0  # seconds for the first answer; left alone, the client waits minutes for a silent Hub
ERRORS = (httpx2.HTTPError, OfflineModeIsEnabled, EntryNotFoundError, OSError)
"""What the client raises; `explain` has a sentence for each."""


def repo_id(namespace: str, name: str, prefix: str = "landscape-colorization") -> str:
    """The repository of one model: "namespace/landscape-colorization-unet"."""
    return f"{namespace}/{prefix}-{name}"


def fetch(source: str, revision: str | None, files: Sequence[str], wanted: Sequence[str] = ()) -> Path:
    """Bring a model's files from the Hub into its cache, all of them out of one commit.

    Args:
        source: Repository id, "namespace/name".
        revision: Branch, tag or commit; None is the main branch.
        files: Names that must be there.
        wanted: Names that may be missing.

    Returns:
        The cache's folder with the files; its name is the commit's hash. If the Hub does not answer, or offline mode
        is on, this is what an earlier call brought.

    Raises:
        huggingface_hub.errors.HFValidationError: If `source` is no repository id.
        One of `ERRORS`: If the Hub refuses, or does not answer and the cache does not have the files.
    """
    api = HfApi()
    silence: Exception | None = None
    try:
        api.model_info(source, revision=revision, timeout=PATIENCE)
    except HfHubHTTPError as error:
        if error.response.status_code < 500:  # a refusal; anything else is a Hub in trouble
            raise
        silence = error
    except (httpx2.TransportError, OfflineModeIsEnabled) as error:
        silence = error
    try:
        names, offline = [*files, *wanted], silence is not None
        cached = api.snapshot_download(source, revision=revision, allow_patterns=names, local_files_only=offline)
    except LocalEntryNotFoundError as error:
        raise silence or error from error
    folder = Path(cached)
    for file in filter(Path.exists, map(folder.joinpath, names)):
        _check_hash(file)
    for name in files:
        if not (folder / name).is_file():
            raise silence or FileNotFoundError(f"it has no {name}")
    return folder


def _content_hash(file: Path, large: bool) -> str:
    """The hash that the Hub knows a file by: SHA-256 of a large one (LFS, Xet), git's blob hash of another."""
    if large:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    data = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _check_hash(file: Path) -> None:
    """Compare a cached file with the hash it is stored under; drop it if it differs.

    The client's own `verify_repo_checksums` asks the Hub for the hashes: this works for a cache without a Hub, too.
    """
    blob = file.resolve()
    if not file.is_symlink() or not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", blob.name):
        return  # a cache without links, as on some Windows machines, does not tell
    if _content_hash(blob, large=len(blob.name) == 64) != blob.name:
        file.unlink()
        blob.unlink()
        raise OSError(f"{file.name} arrived damaged: its hash is not the one that the Hub announced")


def explain(error: Exception) -> str:
    """Say in a few words what the Hub, or the way to it, answered."""
    answer = getattr(error, "response", None)
    match error:
        case GatedRepoError():
            text = "access to it must be asked for on its page"
        case RepositoryNotFoundError():
            text = "it is not there, or it is private and the token cannot see it (`hf auth login`, or HF_TOKEN)"
        case RevisionNotFoundError():
            text = "it has no such branch, tag or commit"
        case OfflineModeIsEnabled():
            text = "offline mode is on (HF_HUB_OFFLINE) and it is not in the cache"
        case LocalEntryNotFoundError():
            text = "the connection broke, and it is not in the cache"
        case EntryNotFoundError():
            missing = re.search(r"/resolve/[^/]+/(\S+?)\.?(\s|$)", str(error))
            text = f"it has no {missing[1] if missing else 'such file'}"
        case httpx2.TimeoutException():
            text = f"no answer from {constants.ENDPOINT} in {PATIENCE:g} s"
        case httpx2.TransportError():
            text = f"no connection to {constants.ENDPOINT}"
        case HfHubHTTPError() if answer is not None:
            text = f"the Hub answered {answer.status_code} {answer.reason_phrase}"
            text += f", {error.server_message}" if error.server_message else ""
        case _:
            text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return text
