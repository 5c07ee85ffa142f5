"""Writing to the Hub, with the real client: old or new, never mixed, whatever breaks."""

import pytest
from support.hub_store import USERS, Repo

from train.publish.push import PushError, check_push, push

REPO = "tester/model"
KEY = ("models", REPO)
OLD = {"README.md": b"# old\n", "config.json": b"{}", "model.safetensors": b"old" * 100, "gone.txt": b"only in the old"}
NEW = {"README.md": b"# new\n", "config.json": b"{}", "model.safetensors": b"new" * 100, "deep/er.json": b"[]"}
KEPT = ".gitattributes"
REPLACES = {"gone.txt": True}.get  # what an earlier push wrote


@pytest.fixture
def folders(tmp_path):
    """The old state and the new, as folders."""
    for name, files in (("old", OLD), ("new", NEW)):
        for path, data in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_bytes(data)
    return tmp_path / "old", tmp_path / "new"


def held(hub, revision="main"):
    files = hub.files(*KEY, revision) or {}
    return {path: data for path, data in files.items() if path != KEPT}


def test_a_folder_takes_the_place_of_an_earlier_one_in_one_commit(hub, folders):
    old, new = folders
    first = push(REPO, old, message="first")
    assert held(hub) == OLD and first.kept == ()
    second = push(REPO, new, message="second", is_ours=REPLACES)
    assert held(hub) == NEW, "a file of the old state stayed"
    repo = hub.repos[KEY]
    assert repo.commits[second.commit][:2] == (first.commit, "second") and len(repo.commits) == 3
    assert push(REPO, new, message="again") == second and len(repo.commits) == 3, "an empty commit"


def test_what_others_put_there_stays_and_is_named(hub, folders):
    hub.repos[KEY] = Repo(private=False)
    theirs = {f"notes/{number:02d}.txt": b"theirs" for number in range(12)} | {"gone.txt": b"theirs too"}
    hub.repos[KEY].commit("main", theirs, "theirs")
    pushed = push(REPO, folders[1], message="ours")
    assert held(hub) == NEW | theirs and pushed.kept == tuple(sorted(theirs))
    assert pushed.others().startswith("; what else was there stays: gone.txt, notes/00.txt, ")
    assert pushed.others().endswith(" and 3 more")


def requests_of_a_push(hub, old, new):
    """How many requests the push from old to new takes."""
    push(REPO, old, message="old")
    before = len(hub.requests)
    push(REPO, new, message="new", is_ours=REPLACES)
    return len(hub.requests) - before


@pytest.mark.parametrize("broken", ["drop", "lose"])
def test_broken_off_at_any_request_it_is_old_or_new_and_converges(hub, folders, broken):
    """The connection is gone from the n-th request on, before or after the Hub has done what it asked."""
    old, new = folders
    count = requests_of_a_push(hub, old, new)
    assert count >= 8
    states = []
    for number in range(1, count + 1):
        hub.reset()
        push(REPO, old, message="old")
        start = len(hub.requests) + number
        hub.fault = lambda method, path, n, start=start: (broken if n == start else "drop") if n >= start else None
        with pytest.raises(PushError, match="push again"):
            push(REPO, new, message="new", is_ours=REPLACES)
        states.append(held(hub))
        hub.fault = lambda *_: None
        push(REPO, new, message="new", is_ours=REPLACES)
        assert held(hub) == NEW and len(hub.repos[KEY].commits) == 3
    assert all(state in (OLD, NEW) for state in states)
    assert states[0] == OLD and (states[-1] == NEW), "the commit lies between the first and the last request"


def test_a_file_of_more_than_ten_megabytes_goes_as_a_large_one(hub, folders):
    (folders[1] / "film.mp4").write_bytes(b"x" * 10_000_001)
    push(REPO, folders[1], message="new")
    assert len(held(hub)["film.mp4"]) == 10_000_001 and b"x" * 10_000_001 in hub.lfs.values()


def test_what_was_sent_is_not_sent_twice(hub, folders):
    hub.fault = lambda method, path, _: 403 if "/commit/" in path else None
    with pytest.raises(PushError, match="403"):
        push(REPO, folders[1], message="new")
    hub.fault = lambda *_: None
    before = len(hub.requests)
    push(REPO, folders[1], message="new")
    assert not [path for method, path in hub.requests[before:] if method == "PUT"]


def is_commit(method, path):
    return method == "POST" and "/commit/" in path


def test_412_somebody_was_faster_and_nothing_of_theirs_is_lost(hub, folders):
    old, new = folders
    push(REPO, old, message="old")
    others = []

    def race(method, path, _):
        if is_commit(method, path) and not others:
            others.append(hub.repos[KEY].commit("main", OLD | {"theirs.txt": b"!"}, "theirs"))

    hub.fault = race
    pushed = push(REPO, new, message="new", is_ours=REPLACES)
    assert held(hub) == NEW | {"theirs.txt": b"!"} and hub.repos[KEY].commits[pushed.commit][0] == others[0]
    assert pushed.kept == ("theirs.txt",)


@pytest.mark.parametrize("status", [409, 412])
def test_a_conflict_is_tried_again_but_not_for_ever(hub, folders, status):
    tries = []

    def conflict(method, path, _):
        if is_commit(method, path):
            tries.append(path)
            return status if len(tries) <= limit else None
        return None

    hub.fault, limit = conflict, 2
    push(REPO, folders[0], message="old")
    assert held(hub) == OLD and len(tries) == 3
    tries.clear()
    limit = 99
    with pytest.raises(PushError, match=f"{status}.*others keep committing to it"):
        push(REPO, folders[1], message="new")
    assert held(hub) == OLD and len(tries) == 3


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "the token is not valid"),
        (403, "the token may not write there: make one that may"),
        (429, "too many requests: wait some minutes"),
        (500, "push again"),
    ],
)
@pytest.mark.parametrize("where", ["/api/repos/create", "/preupload/", "/lfs/", "/commit/"])
def test_a_refusal_says_what_to_do_and_leaves_the_old_state(hub, folders, status, advice, where):
    push(REPO, folders[0], message="old")
    hub.fault = lambda method, path, _: status if where in path and method != "GET" else None
    if where == "/api/repos/create" and status in (401, 403):
        push(REPO, folders[1], message="new")  # the repository is there, so the right to make one is not needed
        return
    with pytest.raises(PushError, match=advice) as raised:
        push(REPO, folders[1], message="new")
    assert held(hub) == OLD
    assert "hf_writer" not in str(raised.value)


def test_a_moment_of_too_many_requests_is_waited_out(hub, folders):
    seen = []

    def once(method, path, _):
        seen.append(path)
        return 429 if "/preupload/" in path and sum("/preupload/" in p for p in seen) == 1 else None

    hub.fault = once
    push(REPO, folders[0], message="old")
    assert held(hub) == OLD


def test_other_bytes_on_the_hub_than_were_sent_are_noticed(hub, folders):
    hub.fault = lambda method, path, _: "corrupt" if method == "PUT" else None
    with pytest.raises(PushError, match=r"holds other bytes than were sent in model\.safetensors"):
        push(REPO, folders[0], message="old")


def test_a_branch_of_its_own(hub, folders):
    push(REPO, folders[0], message="old")
    push(REPO, folders[1], message="new", revision="next", is_ours=REPLACES)
    assert held(hub) == OLD and held(hub, "next") == NEW
    push(REPO, folders[0], message="back", revision="next", is_ours={"deep/er.json": True}.get)
    assert held(hub, "next") == OLD


def test_private_is_never_silently_public(hub, folders):
    push(REPO, folders[0], message="old", private=True)
    assert hub.repos[KEY].private
    hub.repos[KEY] = Repo(private=False)
    hub.repos[KEY].commit("main", {}, "public")
    with pytest.raises(PushError, match="is there already and public"):
        push(REPO, folders[1], message="new", private=True)
    assert held(hub) == {}


FINE = {"type": "user", "name": "fine", "orgs": [], "auth": {"accessToken": {"role": "fineGrained"}}}


def fine_grained(*permissions, name="fine"):
    scopes = {"scoped": [{"entity": {"type": "user", "name": name}, "permissions": list(permissions)}]}
    return FINE | {"auth": {"accessToken": {"role": "fineGrained", "fineGrained": scopes}}}


@pytest.mark.parametrize(
    ("token", "user", "repo_id", "reason"),
    [
        ("hf_writer", None, "tester/new", None),
        ("hf_member", None, "club/new", None),
        ("hf_fine", fine_grained("repo.content.read", "repo.write"), "fine/new", None),
        ("hf_fine", fine_grained("repo.write", name="fine/new"), "fine/new", None),
        ("hf_writer", None, "tester/there", None),
        ("", None, "tester/new", "there is no Hub token: make one that may write"),
        ("hf_stale", None, "tester/new", "the token is not valid"),
        ("hf_reader", None, "tester/new", "the token of tester may only read: make one that may write"),
        ("hf_reader", None, "club/new", "the token of tester may only read: make one that may write"),
        ("hf_reader", None, "tester/there", "403.*the token may not write there"),
        ("hf_writer", None, "club/new", "tester may not write to club, only to tester"),
        ("hf_member", None, "readers/new", "member may not write to readers, only to member, club"),
        ("hf_fine", fine_grained("repo.content.read"), "fine/new", "the token of fine may not write to fine"),
        ("hf_writer", None, "tester/no spaces", "Repo id must"),
    ],
)
def test_a_push_that_cannot_work_is_known_before_the_work(hub, monkeypatch, token, user, repo_id, reason):
    hub.repos["models", "tester/there"] = Repo(private=False)
    hub.repos["models", "tester/there"].commit("main", {}, "initial")
    monkeypatch.setenv("HF_TOKEN", token)
    if user:
        monkeypatch.setitem(USERS, token, user)
    if reason is None:
        check_push([repo_id])
        return
    with pytest.raises(PushError, match=reason) as raised:
        check_push([repo_id])
    assert not token or token not in str(raised.value)


@pytest.mark.parametrize("fault", ["drop", 500, 429])
def test_no_hub_no_training(hub, fault):
    hub.fault = lambda *_: fault
    with pytest.raises(PushError, match=r"cannot push to tester/new: .*try again later") as raised:
        check_push(["tester/new"])
    assert "what was sent" not in str(raised.value), "nothing was"


@pytest.mark.parametrize(
    ("token", "repo_id", "reason"),
    [
        ("hf_writer", "tester/new", None),
        ("hf_writer", "tester/there", None),
        ("hf_member", "club/new", None),
        ("hf_member", "readers/new", "member may not write to readers, only to member, club"),
        ("hf_reader", "tester/there", "may only read"),
    ],
)
def test_a_hub_that_cannot_be_asked_for_rights_is_asked_for_the_users(hub, monkeypatch, token, repo_id, reason):
    hub.repos["models", "tester/there"] = Repo(private=False)
    hub.without_auth_check = True
    monkeypatch.setenv("HF_TOKEN", token)
    if reason is None:
        check_push([repo_id])
        return
    with pytest.raises(PushError, match=reason):
        check_push([repo_id])


def test_the_advice_fits_what_was_sent(hub, folders):
    hub.fault = lambda method, path, _: "drop" if path == "/api/repos/create" else None
    with pytest.raises(PushError, match="push again") as raised:
        push(REPO, folders[1], message="new")
    assert "what was sent" not in str(raised.value), "nothing was"
    hub.fault = lambda method, path, _: "drop" if "/commit/" in path else None
    with pytest.raises(PushError, match="push again; what was sent is not sent twice"):
        push(REPO, folders[1], message="new")
