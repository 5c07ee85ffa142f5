"""The decode worker: real files that take long, real kills."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from conftest import ROOT, encoded
from PIL import Image

from colorization.decode import DecodeError, decode_deep
from colorization.decode import decode as decode_here
from page.workers.decode import Decoder

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at processes through /proc")


@pytest.fixture(scope="module")
def decoder():
    decoder = Decoder()
    yield decoder
    decoder.close()


@pytest.fixture(scope="module")
def large():
    """A PNG of 40 MP and 16 bits, which takes seconds, in 78 kB."""
    return encoded(Image.fromarray(np.full((5000, 8000), 700, np.uint16)))["bytes"]


def test_pictures_come_out_as_they_do_here(decoder, photograph):
    rgba = photograph.convert("RGBA")
    rgba.putalpha(120)
    for data in (encoded(photograph, "jpeg")["bytes"], encoded(photograph)["bytes"], encoded(rgba)["bytes"]):
        here, there = decode_here(data), decoder.decode(data)
        assert np.array_equal(np.asarray(here.picture), np.asarray(there.picture)) and here.notes == there.notes


def test_sixteen_bits_come_where_a_file_has_them(decoder, photograph):
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    for values, photometric in ((ramp, "minisblack"), (np.stack([ramp, ramp.T, ramp // 2], axis=2), "rgb")):
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, values, photometric=photometric, metadata=None)
        assert decoder.decode(buffer.getvalue()).is_deep
        assert np.array_equal(decoder.decode_deep(buffer.getvalue()), decode_deep(buffer.getvalue())[1])
    data = encoded(photograph)["bytes"]
    assert not decoder.decode(data).is_deep
    with pytest.raises(DecodeError, match="has only 8 bits"):
        decoder.decode_deep(data)
    assert np.array_equal(np.asarray(decoder.decode(data).picture), np.asarray(photograph)), "nothing is left of before"


def test_a_worker_that_is_well_is_used_again(decoder, photograph):
    decoder.decode(encoded(photograph)["bytes"])
    before = decoder.pid
    with pytest.raises(DecodeError, match="this is not a JPEG"):
        decoder.decode(b"hello")
    decoder.decode(encoded(photograph)["bytes"])
    assert decoder.pid == before


def test_what_the_decoder_said_is_in_the_log_and_not_in_the_sentence(decoder, photograph, caplog):
    caplog.set_level("INFO", "colorization")
    with pytest.raises(DecodeError, match="is cut short, the end of its file is missing") as raised:
        decoder.decode(encoded(photograph)["bytes"][:5000])
    assert "truncated" in caplog.messages[-1] and "truncated" not in str(raised.value)


def test_a_picture_that_takes_too_long_costs_only_its_sender(large, photograph):
    decoder = Decoder(seconds=0.5)
    try:
        decoder.decode(encoded(photograph)["bytes"])
        before, start = decoder.pid, time.monotonic()
        with pytest.raises(DecodeError, match="takes more than"):
            decoder.decode(large)
        assert time.monotonic() - start < 2
        with pytest.raises(ProcessLookupError):
            os.kill(before, 0)
        assert decoder.decode(encoded(photograph)["bytes"]).picture.size == photograph.size
    finally:
        decoder.close()


def test_a_killed_worker_costs_one_user_a_sentence(decoder, large, photograph):
    decoder.decode(encoded(photograph)["bytes"])
    threading.Timer(0.3, os.kill, [decoder.pid, signal.SIGKILL]).start()
    with pytest.raises(DecodeError, match="ended unexpectedly: try again"):
        decoder.decode(large)
    assert decoder.decode(encoded(photograph)["bytes"]).picture.size == photograph.size


def test_a_worker_killed_while_idle_costs_nobody_anything(decoder, photograph):
    decoder.decode(encoded(photograph)["bytes"])
    os.kill(decoder.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert decoder.decode(encoded(photograph)["bytes"]).picture.size == photograph.size


def test_several_at_once_each_get_their_own(decoder, crops):
    results = {}

    def ask(number):
        results[number] = decoder.decode(encoded(crops[number])["bytes"]).picture

    threads = [threading.Thread(target=ask, args=[number]) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]
    assert all(np.array_equal(np.asarray(results[n]), np.asarray(crops[n])) for n in range(8))


def test_the_worker_has_neither_secrets_nor_torch(photograph, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    decoder = Decoder()
    try:
        decoder.decode(encoded(photograph)["bytes"])
        assert b"hf_secret" not in Path(f"/proc/{decoder.pid}/environ").read_bytes()
        assert "torch" not in Path(f"/proc/{decoder.pid}/maps").read_text()
    finally:
        decoder.close()


def test_forty_megapixels_take_half_a_gigabyte_and_no_more():
    opaque = Image.new("RGB", (8000, 5000), (10, 90, 40))
    decoder = Decoder()
    try:
        for picture in (opaque, opaque.convert("RGBA"), opaque.convert("L")):
            decoder.decode(encoded(picture)["bytes"])
            peak = next(line for line in status(decoder.pid) if line.startswith("VmHWM"))
            assert int(peak.split()[1]) < 550_000, (picture.mode, peak)
    finally:
        decoder.close()


def status(pid):
    return Path(f"/proc/{pid}/status").read_text().splitlines()


def test_the_address_space_is_bounded_whatever_a_file_asks_for(decoder, photograph):
    decoder.decode(encoded(photograph)["bytes"])
    limit = next(line for line in Path(f"/proc/{decoder.pid}/limits").read_text().splitlines() if "address" in line)
    assert int(limit.split()[3]) <= 2_000_000_000


def test_no_worker_outlives_the_page(photograph, tmp_path):
    photograph.save(tmp_path / "photograph.png")
    code = """if True:
        import sys, time
        from page.workers.decode import Decoder
        decoder = Decoder()
        decoder.decode(open(sys.argv[1], "rb").read())
        print(decoder.pid, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "photograph.png"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    pid = int(parent.stdout.readline())
    os.kill(pid, 0)
    parent.kill()
    parent.wait()
    for _ in range(50):
        if not Path(f"/proc/{pid}").exists() or "Z" in status(pid)[2]:
            break
        time.sleep(0.1)
    else:
        pytest.fail("the worker is still there")
