"""Writing to the Hub: the check before a push, and the push of a folder as one commit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, SpaceHardware
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError
from huggingface_hub.utils import validate_repo_id

from colorization.hub import ERRORS, explain

_ATTEMPTS = 3  # at a commit that loses the race against somebody else's
_CONFLICTS = (409, 412)
_SHOWN = 10  # names in a message
_KEPT = {".gitattributes"}  # the Hub's own
_WRITING_ROLES = ("admin", "write", "contributor")
_NO_ROUTE = (404, 405)  # of a Hub of one's own that lacks one of the Hub's calls
_TOKEN_PAGE = "https://huggingface.co/settings/tokens"
_SPACE_PLANS = (
    "free accounts (verified email, older than 30 days) may have two Spaces, with --hardware zero-a10g; more of them, "
    "or other hardware, cpu-basic too, take PRO (https://huggingface.co/pro) or an organization's plan"
)


class Pushed(NamedTuple):
    """What a push came to."""

    commit: str
    kept: tuple[str, ...]
    """Files of the repository that were there before, and are not of an earlier push."""

    def others(self) -> str:
        """Words about them, to be put after the repository's name."""
        more = f" and {len(self.kept) - _SHOWN:,} more" if len(self.kept) > _SHOWN else ""
        return f"; what else was there stays: {', '.join(self.kept[:_SHOWN])}{more}" if self.kept else ""


class PushError(Exception):
    """Nothing was published, or it cannot be; the message says why and what to do."""


def check_push(repo_ids: list[str], repo_type: str = "model") -> None:
    """Ask the Hub whether a later push to these repositories can work, before hours are spent on what to push.

    Args:
        repo_ids: "namespace/name" each; they need not exist yet.
        repo_type: "model", "dataset" or "space".

    Raises:
        PushError: If there is no token, the Hub does not take it, or it may not write there.
    """
    api = HfApi()
    try:
        for repo_id in repo_ids:
            validate_repo_id(repo_id)
        user = api.whoami()
        for repo_id in repo_ids:
            try:
                api.auth_check(repo_id, repo_type=repo_type, write=True)
            except HfHubHTTPError as error:
                # No such repository yet, or a Hub that cannot be asked so: the user's own rights tell as much.
                if error.response.status_code not in _NO_ROUTE:
                    raise
                _check_namespace(repo_id, user)
    except LocalTokenNotFoundError as error:
        raise PushError(
            f"there is no Hub token: make one that may write on {_TOKEN_PAGE}, then `hf auth login`, or set HF_TOKEN"
        ) from error
    except HFValidationError as error:
        raise PushError(f"{', '.join(repo_ids)}: {error}") from error
    except ERRORS as error:
        raise PushError(
            f"cannot push to {', '.join(repo_ids)}: {_advice(error, 'try again later', repo_type)}"
        ) from error


def push(
    repo_id: str,
    folder: Path,
    *,
    message: str,
    repo_type: str = "model",
    private: bool = False,
    revision: str | None = None,
    hardware: SpaceHardware | None = None,
    is_ours: Callable[[str], bool | None] = lambda path: False,
) -> Pushed:
    """Put a folder's files into a repository, in one commit: readers see the old state or the new one.

    Files that are there already are not sent again, so a push that broke off is simply run again.

    Args:
        repo_id: "namespace/name"; made if it is not there.
        folder: Every file in it and below it is pushed.
        message: Title of the commit.
        repo_type: "model", "dataset" or "space".
        private: Make a new repository private; refuse one that is public.
        revision: Branch to commit to, made if it is not there; None is the main branch.
        hardware: What a new Space runs on; None for other repositories.
        is_ours: Whether a file that only the repository has, by its path, is of an earlier push of the same kind. Such
            files are deleted; all others stay.

    Returns:
        The commit, and what else is there.

    Raises:
        PushError: If the Hub refuses or the connection breaks, or it holds other bytes afterwards than were sent.
    """
    api = HfApi()
    place: dict[str, Any] = {"repo_id": repo_id, "repo_type": repo_type}
    again = "push again"
    try:
        sdk = "gradio" if repo_type == "space" else None
        # None, not False: an organization may make its new repositories private by itself.
        api.create_repo(**place, private=private or None, exist_ok=True, space_sdk=sdk, space_hardware=hardware)
        if private and not api.repo_info(**place).private:
            raise PushError(f"{repo_id} is there already and public: make it private on its page, or drop --private")
        if revision:
            api.create_branch(**place, branch=revision, exist_ok=True)
        again = "push again; what was sent is not sent twice"
        commit, others = _commit(api, place, folder, message, revision, is_ours)
        there = api.verify_repo_checksums(**place, revision=commit, local_dir=folder)
    except (*ERRORS, RuntimeError, ValueError) as error:
        # The client wraps what went wrong with an upload in a RuntimeError that does not say it.
        cause = error.__cause__ if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception) else error
        raise PushError(f"{repo_id} was not pushed: {_advice(cause, again, repo_type)}") from error
    differing = {mismatch["path"] for mismatch in there.mismatches} | {
        *there.missing_paths,
        *there.extra_paths,
    } - _KEPT - {*others}
    if differing:
        raise PushError(
            f"{repo_id}@{commit[:7]} holds other bytes than were sent in {', '.join(sorted(differing))}: push again"
        )
    return Pushed(commit, tuple(others))


def _commit(
    api: HfApi,
    place: dict[str, Any],
    folder: Path,
    message: str,
    revision: str | None,
    is_ours: Callable[[str], bool | None],
) -> tuple[str, list[str]]:
    """Commit on top of what is there now; if somebody commits in between, look again.

    Not `upload_folder`: with Xet installed it commits a large folder in several batches, and readers would see a part.
    """
    files = {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}
    for attempt in range(1, _ATTEMPTS + 1):
        head = api.repo_info(**place, revision=revision).sha
        others = sorted({*api.list_repo_files(**place, revision=head)} - files.keys() - _KEPT)
        stale = [path for path in others if is_ours(path)]
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            *(CommitOperationAdd(path, str(file)) for path, file in files.items()),
            *(CommitOperationDelete(path, is_folder=False) for path in stale),
        ]
        try:
            commit = api.create_commit(
                **place, operations=operations, commit_message=message, revision=revision, parent_commit=head
            )
            return commit.oid, [path for path in others if path not in stale]
        except HfHubHTTPError as error:
            if error.response.status_code not in _CONFLICTS or attempt == _ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


def _check_namespace(repo_id: str, user: dict[str, Any]) -> None:
    """Ask what is known of the user: may they, with this token, write to a namespace and make repositories there?"""
    namespace = repo_id.partition("/")[0]
    token = user.get("auth", {}).get("accessToken", {})
    if token.get("role") == "read":
        raise PushError(f"the token of {user['name']} may only read: make one that may write on {_TOKEN_PAGE}")
    roles = {user["name"]: "admin"} | {org["name"]: org.get("roleInOrg", "write") for org in user.get("orgs", [])}
    if roles.get(namespace) not in _WRITING_ROLES:
        can = ", ".join(name for name, role in roles.items() if role in _WRITING_ROLES)
        raise PushError(f"{user['name']} may not write to {namespace}, only to {can}")
    if token.get("role") == "fineGrained":
        scopes = token.get("fineGrained", {}).get("scoped", [])
        if not any(
            scope["entity"].get("name") in (namespace, repo_id) and "repo.write" in scope["permissions"]
            for scope in scopes
        ):
            raise PushError(
                f"the token of {user['name']} may not write to {namespace}: make one that may on {_TOKEN_PAGE}"
            )


def _advice(error: Exception, again: str, repo_type: str) -> str:
    """What happened, and what to do; `again` where it may work the next time."""
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
    if status == 401:
        advice = f"the token is not valid (any more): make one that may write on {_TOKEN_PAGE}, then `hf auth login`"
    elif status == 403:
        advice = f"the token may not write there: make one that may on {_TOKEN_PAGE}"
    elif status == 402:
        advice = _SPACE_PLANS if repo_type == "space" else "see what the account's plan covers on its billing page"
    elif status in _CONFLICTS:
        advice = f"others keep committing to it: look what they did, then {again}"
    elif status == 429:
        advice = f"too many requests: wait some minutes, then {again}"
    else:
        advice = again
    return f"{explain(error)}; {advice}"
