"""The page's endpoint: a real server and the real client."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import NAMES, ROOT
from gradio_client import handle_file
from gradio_client.exceptions import AppError, ValidationError
from PIL import Image

from colorization.guidance import Point
from colorization.inference import gray
from colorization.lab import rgb_to_lab

TITLES = {"pix2pix": "pix2pix", "cwgan": "CWGAN", "unet": "U-Net"}


@pytest.fixture
def old(photograph, tmp_path):
    """A black-and-white photograph with a secret in its metadata."""
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    gray(photograph).save(tmp_path / "old.jpg", exif=exif)
    return tmp_path / "old.jpg"


def test_one_named_endpoint(client):
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(named) == ["/colorize"]


def test_the_endpoint_colors_a_photograph(client, old, photograph):
    original, light, *results = client.predict(handle_file(old), api_name="/colorize")
    assert original is None
    for name, file in zip(NAMES, results[:3], strict=True):
        picture = Image.open(file)
        assert picture.format == "PNG" and picture.size == photograph.size, name
        assert "compositeWithTrainedAlgorithmicMedia" in str(picture.info), name
        pixels = np.asarray(picture).astype(int)
        assert np.abs(pixels[..., 0] - pixels[..., 2]).mean() > 1, f"{name} left it gray"
        assert Path(file).name == f"{name}.png"
    assert [
        bool(re.fullmatch(rf"\*\*{TITLES[n]}\*\*, \d+\.\d\d s, embedded", c))
        for n, c in zip(NAMES, results[3:6], strict=True)
    ] == [True] * 3
    assert Image.open(light).size == photograph.size
    assert b"a secret" not in b"".join(Path(f).read_bytes() for f in (light, *results[:3]))


def test_a_color_photograph_is_scored_beside_the_gray_row(client, photograph, tmp_path):
    photograph.save(tmp_path / "color.png")
    original, light, *_, table, _ = client.predict(handle_file(tmp_path / "color.png"), api_name="/colorize")
    assert np.array_equal(np.asarray(Image.open(original)), np.asarray(photograph))
    assert np.array_equal(np.asarray(Image.open(light).convert("RGB")), np.asarray(gray(photograph)))
    rows = {row[0]: row[2:] for row in table["data"]}
    assert list(rows) == ["gray copy", *TITLES.values()]
    assert all(float(cell) > 0 for row in rows.values() for cell in row)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("text.jpg", b"hello", "This file cannot be colored: this is not a JPEG"),
        ("empty.png", b"", "the file is empty"),
        ("cut.png", None, "This file cannot be colored: the picture is cut short, the end of its file is missing"),
        ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "this is a HEIC picture"),
        ("drawing.svg", b"<svg onload='alert(1)'/>", "this is not a JPEG"),
    ],
)
def test_a_bad_file_is_a_sentence(client, old, photograph, tmp_path, name, data, reason):
    if data is None:
        buffer = io.BytesIO()
        photograph.save(buffer, "png")
        data = buffer.getvalue()[:2000]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(AppError, match=reason):
        client.predict(handle_file(tmp_path / name), api_name="/colorize")
    assert client.predict(handle_file(old), api_name="/colorize"), "and the next request is served"


def test_colors_are_as_strong_as_asked_for(client, old):
    def chroma(*strength):
        *_, unet, _, _, _, _, _ = client.predict(handle_file(old), *strength, api_name="/colorize")
        pixels = np.asarray(Image.open(unet)).astype(int)
        return np.abs(pixels[..., 0] - pixels[..., 2]).mean()

    assert chroma(0) < 0.5 < chroma(1) == chroma() < chroma(2)


@pytest.mark.parametrize("strength", [-1, 2.5, None, "strong", [1]])
def test_a_bad_strength_is_a_sentence(client, old, strength):
    with pytest.raises(AppError, match=r"The strength of color is .*, expected a number of 0 to 2"):
        client.predict(handle_file(old), strength, api_name="/colorize")


@pytest.mark.parametrize(
    ("guidance", "reason"),
    [
        (
            {"version": 1, "points": [{"x": 2, "y": 0.5, "color": "#7a8b4f"}]},
            "a point's x is 2, expected a number",
        ),
        ({"version": 1, "mood": "blues"}, "the mood is 'blues', expected one of overcast"),
        ([1], r"the guidance is \[1\], expected an object"),
    ],
)
def test_bad_guidance_is_a_sentence(client, old, guidance, reason):
    with pytest.raises(AppError, match=f"These colors cannot be used: {reason}"):
        client.predict(handle_file(old), 1, guidance, api_name="/colorize")


def test_guidance_steers_the_u_net_alone(client, old):
    point = {"x": 0.36, "y": 0.78, "color": "#c04040"}
    plain, steered = (
        client.predict(handle_file(old), 1, guidance, api_name="/colorize")
        for guidance in ({"version": 1}, {"version": 1, "points": [point], "mood": "sunset"})
    )
    for number, name in enumerate(NAMES, 2):
        same = np.array_equal(*(np.asarray(Image.open(answer[number])) for answer in (plain, steered)))
        assert same == (name != "unet"), name
    picture = np.asarray(Image.open(steered[4])) / 255
    _, a, b = rgb_to_lab(picture[int(0.78 * len(picture)), int(0.36 * picture.shape[1])].reshape(3, 1, 1)).ravel()
    assert np.hypot(a - Point(0, 0, "#c04040").ab[0], b - Point(0, 0, "#c04040").ab[1]) < 5


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ({"path": "http://127.0.0.1:9/picture.png"}, "addresses are not fetched"),
        ({"path": None, "url": "data:image/png;base64,iVBORw0KGgo="}, "data URLs are not accepted"),
        ({"path": "/etc/passwd"}, "."),
        ({"path": str(ROOT / "README.md")}, "."),
    ],
)
def test_nothing_is_read_or_fetched_because_an_upload_asked_for_it(client, field, reason):
    with pytest.raises((AppError, ValidationError), match=reason) as raised:
        client.predict(field | {"meta": {"_type": "gradio.FileData"}}, api_name="/colorize")
    assert "root:" not in str(raised.value)


def test_notes_reach_the_user(client, tmp_path):
    rgba = np.zeros((40, 60, 4), np.uint8)
    rgba[:20, :, 3] = 255
    Image.fromarray(rgba).save(tmp_path / "half.png")
    *_, notes = client.predict(handle_file(tmp_path / "half.png"), api_name="/colorize")
    assert "transparent parts" in notes
