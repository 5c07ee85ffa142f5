"""What the loopback Hub of hub.py remembers: repositories and their commits, users and their rights."""

import hashlib
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse

LFS_SUFFIXES = (".safetensors", ".parquet", ".png")
LFS_BYTES = 10_000_000  # from which the Hub takes any file as a large one
USERS = {  # token: what /api/whoami-v2 says of its owner
    "hf_writer": {"type": "user", "name": "tester", "orgs": [], "auth": {"accessToken": {"role": "write"}}},
    "hf_reader": {"type": "user", "name": "tester", "orgs": [], "auth": {"accessToken": {"role": "read"}}},
    "hf_member": {
        "type": "user",
        "name": "member",
        "orgs": [{"name": "club", "roleInOrg": "write"}, {"name": "readers", "roleInOrg": "read"}],
        "auth": {"accessToken": {"role": "write"}},
    },
}


@dataclass
class Repo:
    """A repository: commits by their hash, each with its parent and all its files, and branches."""

    private: bool
    commits: dict[str, tuple[str | None, str, dict[str, bytes]]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    hardware: str | None = None

    def commit(self, branch: str, files: dict[str, bytes], title: str) -> str:
        """Put a new state on top of a branch."""
        parent = self.branches.get(branch)
        digest = hashlib.sha1(f"{parent}/{title}/{len(self.commits)}".encode())
        for path, data in sorted(files.items()):
            digest.update(path.encode() + data)
        self.commits[digest.hexdigest()] = (parent, title, files)
        self.branches[branch] = digest.hexdigest()
        return digest.hexdigest()


class RefusalError(Exception):
    """An error answer."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        self.response = JSONResponse({"error": message}, status, {"X-Error-Code": code} if code else None)


def user_of(request: Request) -> dict | None:
    return USERS.get(request.headers.get("authorization", "").removeprefix("Bearer "))


def namespaces_of(user: dict | None) -> dict[str, str]:
    """Where a user may read, and the role there."""
    return {user["name"]: "admin"} | {org["name"]: org["roleInOrg"] for org in user["orgs"]} if user else {}


def may_write(user: dict | None, namespace: str) -> None:
    if user is None:
        raise RefusalError(401, "Invalid username or password.")
    if user["auth"]["accessToken"]["role"] == "read" or namespaces_of(user).get(namespace) not in ("write", "admin"):
        raise RefusalError(403, "You don't have the rights to write here")


def is_large(path: str, size: int) -> bool:
    return path.endswith(LFS_SUFFIXES) or size > LFS_BYTES


def oid_of(path: str, data: bytes) -> str:
    """The SHA-256 of an LFS file, the git blob hash of another."""
    if is_large(path, len(data)):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def entry_of(path: str, data: bytes) -> dict:
    entry = {"type": "file", "path": path, "size": len(data), "oid": oid_of(path, data)}
    if is_large(path, len(data)):
        entry["lfs"] = {"oid": entry["oid"], "size": len(data), "pointerSize": 130}
    return entry
