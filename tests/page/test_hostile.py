"""Hostile and odd files over HTTP: as the corpus' manifest says, soon, and without harm to others."""

import csv
import io
import os
import random
import threading
import time

import pytest
from conftest import encoded
from PIL import Image
from support.served import API, served

from colorization.decode import DecodeError
from page.server import TRIM_SECONDS
from page.workers.decode import Decoder

MUTATIONS = 1000
SECONDS = 10  # for each file, with others in the queue
MEMORY = 300  # MB that the page may keep: the last photographs, each of at most 10, and tables


@pytest.fixture(scope="module")
def page(subprocess_env, tmp_path_factory):
    with served(subprocess_env, tmp_path_factory.mktemp("hostile")) as page:
        yield page
    assert "Traceback" not in page.log.read_text()


def limit():
    """Seconds for one file: more where other programs share the processors."""
    return SECONDS * max(1, os.getloadavg()[0] / os.cpu_count())


def corpus(shared):
    with (shared / "corpus/manifest_images.csv").open(encoding="utf-8") as manifest:
        for row in csv.DictReader(manifest):
            yield row, (shared / "corpus" / row["file"]).read_bytes()


@pytest.mark.slow
def test_the_corpus_over_http(shared, page, photograph):
    """Each file as the manifest says, with no metadata in what comes back; memory is given back."""
    page.color(encoded(photograph)["bytes"])
    before, wrong, peak = page.memory(), [], 0
    for row, data in corpus(shared):
        start = time.monotonic()
        result = patiently(page, data, row["upload_name"] or "file")
        seconds = time.monotonic() - start
        peak = max(peak, page.memory())
        if isinstance(result, list):
            picture = Image.open(io.BytesIO(page.http.get(f"{API}/file={result[1]['path']}").content))
            upright = (int(row["upright_w"]), int(row["upright_h"])) if row["upright_w"] else picture.size
            right = "colorize" in row["expect"] and picture.size == upright and not picture.info
        else:
            right = "clear-error" in row["expect"] and isinstance(result, str) and result.endswith(".")
        if not right or seconds > limit():
            outcome = f"{str(result)[:200]}, {seconds:.1f} s; expected {row['expect']}"
            wrong.append(f"{row['file']} ({row['odd']}): {outcome}")
    after = page.memory()
    deadline = time.monotonic() + 3 * TRIM_SECONDS * max(1, os.getloadavg()[0] / os.cpu_count())
    while page.memory() - before >= MEMORY and time.monotonic() < deadline:  # what is free is given back now and then
        time.sleep(1)
    print(f"memory: {before:.0f} MB before, {after:.0f} after, {page.memory():.0f} a little later, {peak:.0f} at most")
    assert not wrong, "\n".join(wrong)
    assert page.memory() - before < MEMORY


def patiently(page, data, name):
    """Have a file colored, waiting when the page says that one asks too often."""
    while True:
        answer = page.http.post(f"{API}/upload", files={"files": (name, data)})
        if answer.status_code != 429:
            break
        time.sleep(int(answer.headers["retry-after"]))
    if answer.status_code != 200:
        return answer.json()["error"]
    while True:
        joined, result = page.call([{"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}, 1])
        if joined.status_code != 429:
            return result
        time.sleep(int(joined.headers["retry-after"]))


def test_traps_are_over_soon_with_others_in_the_queue(shared, page, photograph):
    """The files of the corpus that are made to take time or memory, while others have photographs colored."""
    stop = threading.Event()
    served_to_others = []

    def other():
        while not stop.is_set():
            served_to_others.append(page.color(encoded(photograph.resize((96, 64)))["bytes"]))
            time.sleep(3)  # slower than the limit of calls for one address, which all here share

    others = [threading.Thread(target=other) for _ in range(3)]
    [thread.start() for thread in others]
    try:
        for row, data in corpus(shared):
            if row["category"] in ("bomb", "zipbomb", "timebomb"):
                start = time.monotonic()
                assert patiently(page, data, row["upload_name"]), row
                assert time.monotonic() - start < limit(), row
    finally:
        stop.set()
        [thread.join(60) for thread in others]
    assert served_to_others and all(isinstance(result, list) for result in served_to_others)


def mutated(data, rng):
    """One file with something wrong in it: bits, bytes, a cut, a repetition, a length field."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        kind, place = rng.randrange(5), rng.randrange(max(1, min(len(data), rng.choice((64, 1024, 10**9)))))
        if kind == 0 and data:
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[place : place + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", rng.randbytes(4)))
        elif kind == 2:
            del data[place : place + rng.randrange(1, 64)]
        elif kind == 3:
            data[place:place] = data[place : place + rng.randrange(1, 512)]
        elif len(data) > 100:
            del data[rng.randrange(50, len(data)) :]
    return bytes(data)


def mutations(shared, count, seed=20261124):
    """So many mutated files of the corpus, small ones more often than large."""
    files = [data for _, data in corpus(shared) if 0 < len(data) < 60_000]
    for number in range(count):
        rng = random.Random(seed + number)
        yield number, mutated(rng.choice(files), rng)


def survive(shared, count):
    """Decode mutations in one worker; returns how many came out, and those that ended it."""
    decoder = Decoder()
    decoded, deaths = 0, []
    try:
        for number, data in mutations(shared, count):
            start = time.monotonic()
            try:
                decoded += bool(decoder.decode(data))
            except DecodeError as error:
                assert len(str(error)) > 10, number
                if "unexpectedly" in str(error) or "more than" in str(error):
                    deaths.append((number, str(error)))
            assert time.monotonic() - start < SECONDS + 2, number
        decoder.decode(encoded(Image.new("RGB", (8, 8)))["bytes"])
    finally:
        decoder.close()
    return decoded, deaths


def test_mutations_of_hostile_files_end_nothing(shared):
    decoded, deaths = survive(shared, MUTATIONS)
    assert not deaths and 0 < decoded < MUTATIONS


@pytest.mark.nightly
def test_a_hundred_mutations_over_http(shared, page):
    for number, data in mutations(shared, 100, seed=7):
        result = patiently(page, data, f"{number}.png")
        assert isinstance(result, list) or (isinstance(result, str) and result.endswith(".")), number
