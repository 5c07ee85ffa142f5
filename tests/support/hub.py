"""A Hub on loopback: what the real `huggingface_hub` and `datasets` clients ask of a Hub, answered from memory.

It proves requests and responses, and that a commit is whole or not there. It does not prove what only the real Hub
does: Xet storage, gating, rate limits as they really are, validation of cards, and the building and running of a Space.
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from support.hub_store import RefusalError, Repo, entry_of, is_large, may_write, namespaces_of, oid_of, user_of


class Hub:
    """The server. `fault(method, path, number)` may name what goes wrong with a request: a status, "drop" (the
    connection, before anything is done), "lose" (the answer, after it is done), "silent" or "corrupt"."""

    def __init__(self) -> None:
        self.reset()
        routes = [
            Route("/api/whoami-v2", self.whoami),
            Route("/api/validate-yaml", lambda _: JSONResponse({"errors": [], "warnings": []}), methods=["POST"]),
            Route("/api/repos/create", self.create, methods=["POST"]),
            Route("/lfs/{oid}", self.store_lfs, methods=["PUT", "POST"]),
        ]
        for kind in ("models", "datasets", "spaces"):
            api, site = f"/api/{kind}/{{ns}}/{{name}}", f"{'' if kind == 'models' else '/' + kind}/{{ns}}/{{name}}"
            for path, answer, methods in (
                (f"{api}", self.info, ["GET"]),
                (f"{api}/revision/{{rev}}", self.info, ["GET"]),
                (f"{api}/auth-check/write", self.auth_check, ["GET"]),
                (f"{api}/tree/{{rev}}", self.tree, ["GET"]),
                (f"{api}/tree/{{rev}}/{{path:path}}", self.tree, ["GET"]),
                (f"{api}/branch/{{branch}}", self.branch, ["POST"]),
                (f"{api}/variables", self.variable, ["POST"]),
                (f"{api}/preupload/{{rev}}", self.preupload, ["POST"]),
                (f"{api}/commit/{{rev}}", self.commit, ["POST"]),
                (f"{site}.git/info/lfs/objects/batch", self.lfs_batch, ["POST"]),
                (f"{site}/resolve/{{rev}}/{{path:path}}", self.resolve, ["GET", "HEAD"]),
            ):
                routes.append(Route(path, _bound(answer, kind), methods=methods))
        refused = {RefusalError: lambda _, error: error.response}
        self.app = Starlette(routes=routes, exception_handlers=refused)

    def reset(self) -> None:
        """Forget everything."""
        self.repos: dict[tuple[str, str], Repo] = {}
        self.lfs: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.fault: Callable[[str, str, int], int | str | None] = lambda *_: None
        self.without_auth_check = False

    def files(self, kind: str, repo_id: str, revision: str = "main") -> dict[str, bytes] | None:
        """What a repository holds; None if it is not there."""
        repo = self.repos.get((kind, repo_id))
        return repo and repo.commits[repo.branches[revision]][2]

    async def __call__(self, scope, receive, send) -> None:
        """Answer one request, or do to it what the fault says."""
        if scope["type"] != "http":
            return
        self.requests.append((scope["method"], scope["path"]))
        fault = self.fault(scope["method"], scope["path"], len(self.requests))
        if fault in ("drop", "lose"):
            if fault == "lose":
                await self.app(scope, receive, _ignore)
            send.__self__.transport.abort()  # uvicorn's own cycle: nothing in ASGI closes a connection
        elif fault == "silent":
            await receive()
            while (await receive())["type"] != "http.disconnect":
                pass
        elif isinstance(fault, int):
            headers = {"Retry-After": "0", **({"X-Error-Code": "RepoNotFound"} if fault == 404 else {})}
            await JSONResponse({"error": "so said the test"}, fault, headers)(scope, receive, send)
        elif fault == "corrupt":
            scope["corrupt"] = True
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def whoami(self, request: Request) -> Response:
        user = user_of(request)
        return JSONResponse(user) if user else JSONResponse({"error": "Invalid username or password."}, 401)

    async def create(self, request: Request) -> Response:
        body = await request.json()
        kind, user = f"{body.get('type') or 'model'}s", user_of(request)
        namespace = body.get("organization") or (user or {}).get("name")
        may_write(user, namespace)
        repo_id = f"{namespace}/{body['name']}"
        url = f"{request.base_url}{'' if kind == 'models' else kind + '/'}{repo_id}"
        if (kind, repo_id) in self.repos:
            return JSONResponse({"error": "You already created this repo", "url": url}, 409)
        if kind == "spaces" and body.get("hardware") != "zero-a10g":  # as the Hub answers free accounts
            raise RefusalError(402, "Creating a Gradio Space on this hardware requires a PRO subscription.")
        repo = self.repos[kind, repo_id] = Repo(body.get("visibility") == "private", hardware=body.get("hardware"))
        repo.commit("main", {".gitattributes": b"*.safetensors filter=lfs\n"}, "initial commit")
        return JSONResponse({"url": url})

    async def info(self, request: Request, kind: str) -> Response:
        repo, repo_id = self._repo(request, kind)
        sha, files = self._state(repo, request.path_params.get("rev", "main"))
        return JSONResponse(
            {
                "id": repo_id,
                "sha": sha,
                "private": repo.private,
                "tags": [],
                "downloads": 0,
                "likes": 0,
                "siblings": [{"rfilename": path} for path in files],
            }
        )

    async def auth_check(self, request: Request, kind: str) -> Response:
        if self.without_auth_check:  # as a Hub of one's own may be: no such route, and no code that says so
            return JSONResponse({"error": "Not Found"}, 404)
        _, repo_id = self._repo(request, kind)
        may_write(user_of(request), repo_id.partition("/")[0])
        return JSONResponse({})

    async def tree(self, request: Request, kind: str) -> Response:
        repo, _ = self._repo(request, kind)
        _, files = self._state(repo, request.path_params["rev"])
        folder = request.path_params.get("path", "")
        inside = {p: d for p, d in files.items() if not folder or p.startswith(folder + "/")}
        if folder and not inside:
            raise RefusalError(404, "no such folder", "EntryNotFound")
        recursive = request.query_params.get("recursive", "").lower() in ("1", "true")
        entries = {}
        for path, data in sorted(inside.items()):
            below = path.removeprefix(f"{folder}/").split("/") if folder else path.split("/")
            parents = ["/".join([*([folder] if folder else []), *below[:depth]]) for depth in range(1, len(below))]
            for parent in parents[: None if recursive else 1]:
                entries[parent] = {"type": "directory", "path": parent, "size": 0, "oid": parent}
            if recursive or not parents:
                entries[path] = entry_of(path, data)
        return JSONResponse(list(entries.values()))

    async def branch(self, request: Request, kind: str) -> Response:
        repo, repo_id = self._repo(request, kind)
        may_write(user_of(request), repo_id.partition("/")[0])
        if request.path_params["branch"] in repo.branches:
            raise RefusalError(409, "Reference already exists")
        repo.branches[request.path_params["branch"]] = repo.branches["main"]
        return JSONResponse({})

    async def variable(self, request: Request, kind: str) -> Response:
        repo, repo_id = self._repo(request, kind)
        may_write(user_of(request), repo_id.partition("/")[0])
        body = await request.json()
        repo.variables[body["key"]] = body["value"]
        return JSONResponse({key: {"key": key, "value": value} for key, value in repo.variables.items()})

    async def preupload(self, request: Request, kind: str) -> Response:
        repo, repo_id = self._repo(request, kind)
        may_write(user_of(request), repo_id.partition("/")[0])
        _, files = self._state(repo, request.path_params["rev"])
        modes = [
            {
                "path": f["path"],
                "uploadMode": "lfs" if is_large(f["path"], f["size"]) else "regular",
                "shouldIgnore": False,
                "oid": oid_of(f["path"], files[f["path"]]) if f["path"] in files else None,
            }
            for f in (await request.json())["files"]
        ]
        return JSONResponse({"files": modes})

    async def lfs_batch(self, request: Request, kind: str) -> Response:
        may_write(user_of(request), request.path_params["ns"])
        objects = []
        for wanted in (await request.json())["objects"]:
            href = f"{request.base_url}lfs/{wanted['oid']}"
            actions = (
                {} if wanted["oid"] in self.lfs else {"actions": {k: {"href": href} for k in ("upload", "verify")}}
            )
            objects.append({"oid": wanted["oid"], "size": wanted["size"], **actions})
        return JSONResponse({"transfer": "basic", "objects": objects})

    async def store_lfs(self, request: Request) -> Response:
        if request.method == "PUT":
            data, oid = await request.body(), request.path_params["oid"]
            if request.scope.get("corrupt"):
                data = data[:-1] + b"?"
            elif hashlib.sha256(data).hexdigest() != oid:
                raise RefusalError(400, "not what was announced")
            self.lfs[oid] = data
        return Response()

    async def commit(self, request: Request, kind: str) -> Response:
        repo, repo_id = self._repo(request, kind)
        may_write(user_of(request), repo_id.partition("/")[0])
        lines = [json.loads(line) for line in (await request.body()).splitlines()]
        sha, files = self._state(repo, request.path_params["rev"])
        header = lines[0]["value"]
        if header.get("parentCommit") not in (None, sha):
            raise RefusalError(412, "A commit has happened since. Please refresh and try again.")
        files = dict(files)
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.lfs[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        oid = repo.commit(request.path_params["rev"], files, header["summary"])
        return JSONResponse(
            {"success": True, "commitOid": oid, "commitUrl": f"{request.base_url}{repo_id}/commit/{oid}"}
        )

    async def resolve(self, request: Request, kind: str) -> Response:
        repo, _ = self._repo(request, kind)
        sha, files = self._state(repo, request.path_params["rev"])
        path = request.path_params["path"]
        if path not in files:
            return JSONResponse(
                {"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": sha}
            )
        data = files[path]
        headers = {"ETag": f'"{oid_of(path, data)}"', "X-Repo-Commit": sha, "Accept-Ranges": "bytes"}
        if is_large(path, len(data)):
            headers |= {"X-Linked-ETag": headers["ETag"], "X-Linked-Size": str(len(data))}
        if request.scope.get("corrupt"):
            data = b"\0" * len(data)
        status, wanted = 200, request.headers.get("range")
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last) + 1 if last else len(data), len(data))
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
            status, data = 206, data[start:stop]
        headers["Content-Length"] = str(len(data))
        return Response(b"" if request.method == "HEAD" else data, status, headers)

    def _repo(self, request: Request, kind: str) -> tuple[Repo, str]:
        """The repository that a request is about, if its sender may see it."""
        repo_id = f"{request.path_params['ns']}/{request.path_params['name']}"
        repo, user = self.repos.get((kind, repo_id)), user_of(request)
        if repo is None or (repo.private and repo_id.partition("/")[0] not in namespaces_of(user)):
            raise RefusalError(404 if user else 401, "Repository not found", "RepoNotFound")
        return repo, repo_id

    def _state(self, repo: Repo, revision: str) -> tuple[str, dict[str, bytes]]:
        """The commit and the files that a branch or a hash names."""
        sha = repo.branches.get(revision, revision)
        if sha not in repo.commits:
            raise RefusalError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return sha, repo.commits[sha][2]


def _bound(answer, kind: str):
    async def bound(request: Request) -> Response:
        return await answer(request, kind)

    return bound


async def _ignore(_) -> None:
    """A `send` that nobody listens to."""


class LiveHub(Hub):
    """A Hub on a free port, in a thread of its own."""

    def __enter__(self) -> "LiveHub":
        config = uvicorn.Config(self, host="127.0.0.1", port=0, log_level="error", lifespan="off", ws="none")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_) -> None:
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(10)
