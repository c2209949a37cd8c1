"""The console's form: requests made of a signature, and what comes of them."""

from __future__ import annotations

import json
import struct
import subprocess
import zlib

import pytest
from e2e.server.conftest import SERVED, golden
from e2e.server.console.conftest import HOSTILE
from playwright.sync_api import expect


def output(visit, name):
    """The cells of an output, row by row."""
    values = visit.page.get_by_role("region", name=f"Values of {name}", exact=True)
    rows = values.locator("tbody tr")
    return [rows.nth(i).locator("td").all_text_contents()[1:] for i in range(rows.count())]


@pytest.mark.parametrize("model", SERVED)
def test_the_form_is_filled_in_with_a_golden_case_and_gives_its_answer(visit, model):
    visit.version(model)
    visit.run()
    names = golden(model)["outputs"]
    expect(visit.page.get_by_text("equals the golden case")).to_have_count(len(names))
    if model == "mlp":
        [row] = output(visit, "scores")
        assert [float(each) for each in row] == pytest.approx(golden(model)["outputs"]["scores"][0])


def test_other_values_and_sizes(visit, server):
    visit.version("mlp")
    visit.page.get_by_label("batch").fill("2")
    values = visit.page.get_by_label("Values of features")
    assert len(values.input_value().split(",")) == 8, "the example is repeated"
    values.fill("[[1, 2, 3, 4], [NaN, 0.5, -1e3, 0]]")
    visit.run()
    body = {"name": "features", "datatype": "FP32", "shape": [2, 4]}
    body["data"] = [1, 2, 3, 4, None, 0.5, -1e3, 0]
    answer = server.post("/v2/models/mlp/infer", {"inputs": [body]})
    printed = answer.body.decode().partition('"data":[')[2].partition("]")[0].split(",")
    assert output(visit, "scores") == [printed[:3], printed[3:]]
    expect(visit.page.get_by_text("golden case batch")).to_be_visible()
    expect(visit.page.get_by_text("equals the golden case")).to_have_count(0)


def test_what_is_wrong_is_told(visit):
    visit.version("mlp")
    page = visit.page
    visit.refusals.append(400)
    page.get_by_label("Values of features").fill("1, 2, 3")
    visit.run()
    expect(page.locator(".refused")).to_contain_text("REQUEST_INVALID (400)")
    expect(page.locator(".refused")).to_contain_text("needs 4 values, received 3")
    page.get_by_label("Values of features").fill("1, 2, 3, four")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("“four” is no FP32")).to_be_visible()


def test_values_outside_of_the_domain_are_told_with_their_code(visit):
    visit.version("domains")
    visit.refusals.append(400)
    visit.page.get_by_label("Values of token, 1").fill("c")
    visit.run()
    expect(visit.page.locator(".refused")).to_contain_text("INPUT_DOMAIN (400)")


def test_texts_are_shown_and_never_read_as_markup(visit):
    visit.version("dtypes")
    texts = [HOSTILE, "</script><script>alert(1)</script>", "1e5"]
    visit.page.get_by_label("Values of in_BYTES").fill(json.dumps(texts))
    visit.page.get_by_label("Values of in_INT64").fill("9007199254740993, -9223372036854775808, 1")
    visit.run()
    assert output(visit, "out_BYTES") == [texts]
    assert output(visit, "out_INT64") == [["9007199254740993", "-9223372036854775808", "1"]]
    expect(visit.page.locator("main img, main script")).to_have_count(0)


def test_files_are_sent_as_they_are(visit):
    visit.version("domains")
    page = visit.page
    page.get_by_label("rows").fill("1")
    page.get_by_label("length").fill("4")
    ids = page.get_by_role("group", name="ids")
    ids.get_by_text("From a file").click()
    content = {
        "name": "ids.bin",
        "mimeType": "application/octet-stream",
        "buffer": b"\x00\x07\xff\x2a",
    }
    ids.locator("input[type=file]").set_input_files(content)
    expect(ids).to_contain_text("4 bytes, sent as they are.")
    visit.run()
    assert output(visit, "ids_out") == [["0", "7", "255", "42"]]


def test_a_picture_becomes_its_pixels(visit):
    visit.version("pictures")
    page = visit.page
    pixels = bytes(range(2 * 3 * 3))
    field = page.get_by_role("group", name="x")
    field.get_by_text("From a file").click()
    picture = {"name": "two.png", "mimeType": "image/png", "buffer": png(3, 2, pixels)}
    field.locator("input[type=file]").set_input_files(picture)
    expect(field).to_contain_text("[2, 3, 3]")
    visit.run()
    shown = [int(each) for row in output(visit, "y") for each in row]
    assert shown == list(pixels)


def png(width, height, rgb):
    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    rows = b"".join(b"\0" + rgb[i * 3 * width : (i + 1) * 3 * width] for i in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in parts)


def test_the_request_as_a_command_gives_the_same_answer(visit):
    visit.version("strings")
    visit.page.get_by_label("Values of carrier, 1").fill("it's; $(exit 1) `x`")
    visit.run()
    visit.page.get_by_role("button", name="Copy as curl").click()
    expect(visit.page.get_by_role("button", name="Copied")).to_be_visible()
    command = visit.page.evaluate("navigator.clipboard.readText()")
    assert "secret" not in command
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True, timeout=30)
    answer = {each["name"]: each["data"] for each in json.loads(done.stdout)["outputs"]}
    assert output(visit, "label") == [answer["label"]]
