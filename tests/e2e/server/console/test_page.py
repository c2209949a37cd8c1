"""The console in a browser: who may look, what is shown, what the page can not be made to do."""

from __future__ import annotations

import re
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from e2e.server.conftest import GOOD
from e2e.server.console.conftest import HOSTILE
from e2e.server.console.visit import Visit
from e2e.server.running import ROOT, serving
from playwright.sync_api import Error, expect

BEARER = {"Authorization": "Bearer secret"}
FILES = ROOT / "jvm/server/src/main/resources/io/sealane/server/console"
INFER = {
    "inputs": [{"name": "features", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]
}

LATENCY = re.compile(r"Latency: p50 [\d.]+ [µm]?s, p90 [\d.]+ [µm]?s, p99 [\d.]+ [µm]?s")


def manage(server, method, path):
    return server.call(method, path, headers=BEARER, address=server.management)


def test_only_the_files_of_the_page_are_open(server):
    """Every file of the page is served without the token, and nothing else is."""
    paths = ["/console"] + [f"/console/{each.name}" for each in FILES.iterdir()]
    paths.remove("/console/index.html")
    for path in paths:
        answer = server.get(path, address=server.management)
        assert answer.status == 200, path
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert server.call("POST", path, b"", address=server.management).status == 401
        assert server.get(path).status == 404, "the main port has no console"
    closed = [
        *("/console/", "/console/data", "/console/index.html", "/console/x", "/metrics"),
        *("/console/models/mlp/versions/1.0.0", "/console/models/mlp/versions/1.0.0/example"),
    ]
    for path in closed:
        assert server.get(path, address=server.management).status == 401, path
    assert server.get("/console/..%2fmetrics", address=server.management).status == 400
    data = manage(server, "GET", "/console/data")
    assert data.status == 200
    assert data.headers["cache-control"] == "no-store"
    gone = manage(server, "GET", "/console/models/mlp/versions/9")
    assert (gone.status, gone.json["error"].split(":")[0]) == (404, "MODEL_NOT_FOUND")


def test_it_can_be_turned_off(tmp_path):
    shutil.copytree(GOOD / "mlp", tmp_path / "mlp")
    with serving(tmp_path, "--console", "false") as server:
        assert server.get("/console", address=server.management).status == 401
        assert manage(server, "GET", "/console").status == 404
        assert manage(server, "GET", "/console/data").status == 404


def test_sign_in_and_out(visit):
    page = visit.page
    visit.refusals.append(401)
    visit.sign_in("wrong")
    expect(page.get_by_role("alert")).to_have_text("The server does not take this token.")
    expect(page.get_by_role("heading", name="Models")).to_have_count(0)
    visit.sign_in()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    assert "secret" not in page.url
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    assert not visit.context.cookies()
    page.evaluate("sessionStorage.setItem('sealane-token', 'old')")
    expect(page.get_by_text("the server has another")).to_be_visible()
    visit.sign_in()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Management token")).to_be_focused()
    assert page.evaluate("sessionStorage.length") == 0


def test_states_and_reasons(visit):
    visit.models()
    page = visit.page
    broken = page.get_by_role("region", name="broken")
    expect(broken).to_contain_text("unavailable")
    expect(broken).to_contain_text("FILES_DIFFER")
    expect(broken.get_by_role("link")).to_have_count(0)
    ready = page.get_by_role("region", name="mlp")
    expect(ready).to_contain_text("ready")
    expect(ready).to_contain_text("bit-exact")
    strings = page.get_by_role("region", name="strings")
    expect(strings.get_by_role("rowheader", name=HOSTILE)).to_be_visible()
    expect(strings).to_contain_text("MANIFEST_INVALID")
    expect(page.locator("main img")).to_have_count(0)
    page.goto(f"{visit.origin}/console#/mlp/9")
    expect(page.get_by_text("It is not in the repository.")).to_be_visible()


def test_proofs_and_signature(visit):
    visit.version("mlp")
    parity = visit.page.get_by_role("region", name="Parity", exact=True)
    checked = parity.get_by_role("row", name="scores")
    expect(checked).to_contain_text("FP32")
    expect(checked).to_contain_text("agrees")
    expect(parity).to_contain_text("onnx 1.28.0")
    expect(parity.locator("summary")).to_contain_text("bit-exact")
    signature = visit.page.get_by_role("region", name="Signature")
    expect(signature.get_by_role("row", name="features")).to_contain_text("[batch, 4]")
    expect(signature).to_contain_text("1 to 4,096")
    origin = visit.page.get_by_role("region", name="Origin and settings")
    expect(origin).to_contain_text("sha256:5722e6d96aab7e8e")


def test_figures_move_with_requests(visit, server):
    visit.version("mlp")
    latency = visit.page.get_by_role("region", name="Latency")
    visit.page.get_by_text("Since it was loaded").click()
    before = manage(server, "GET", "/v2/models/mlp/stats").json["model_stats"][0]
    for _ in range(50):
        assert server.post("/v2/models/mlp/infer", INFER).status == 200
    bars = latency.locator("rect title")
    expect(bars.first).to_be_attached()
    answered = before["inference_stats"]["success"]["count"] + 50
    visit.page.wait_for_function(
        "all => [...document.querySelectorAll('.chart rect title')].map(each => "
        "Number(each.textContent.split(': ')[1])).reduce((a, b) => a + b, 0) === all",
        arg=answered,
    )
    visit.page.get_by_text("Last minute").click()
    expect(latency.get_by_role("img")).to_have_attribute("aria-label", LATENCY)
    rates = visit.page.get_by_role("region", name="Requests a second")
    expect(rates.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile("Requests a second: now")
    )
    visit.page.get_by_role("link", name="All models").click()
    expect(visit.page.get_by_role("region", name="mlp")).to_contain_text(re.compile("[µm]s"))


def test_how_traffic_is_shared_and_how_far_its_shadow_is(visit, server):
    """Version 2 gives 3 · x, and version 1, its shadow, 2 · x: they differ by x, at most by 4."""
    asked = {"name": "x", "datatype": "FP32", "shape": [2, 2], "data": [0, 0, 3, 4]}
    visit.models()
    for _ in range(5):
        answer = server.post("/v2/models/shared/versions/2/infer", {"inputs": [asked]})
        assert answer.status == 200
    traffic = visit.page.get_by_role("region", name="Traffic of shared")
    shares = traffic.get_by_role("table", name="Versions of shared by their share")
    expect(shares.get_by_role("row", name=re.compile(r"^2 30 % 5 0"))).to_contain_text(
        "1, for 100 %"
    )
    expect(shares.get_by_role("row", name=re.compile(r"^1 70 %"))).to_be_visible()
    expect(traffic).to_contain_text("2 beside its shadow 1")
    expect(traffic).to_contain_text("failed 5")
    outputs = traffic.get_by_role("table", name="Outputs beside those of the shadow")
    expect(outputs.get_by_role("row", name=re.compile(r"^y FP32 10 of 20 4 "))).to_be_visible()
    expect(outputs.get_by_role("img")).to_have_attribute("aria-label", re.compile("^0: 10; "))


def test_unload_and_load(visit, server):
    visit.models()
    page = visit.page
    domains = page.get_by_role("region", name="domains")
    unload = page.get_by_role("button", name="Unload domains")
    unload.click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert server.get("/v2/models/domains/ready").status == 200
    unload.click()
    page.get_by_role("dialog").get_by_role("button", name="Unload").click()
    expect(domains).to_contain_text("unloaded on request")
    expect(unload).to_have_count(0)
    assert server.get("/v2/models/domains/ready").status == 503
    page.get_by_role("button", name="Load domains").click()
    page.get_by_role("dialog").get_by_role("button", name="Load").click()
    expect(domains.get_by_role("link", name="domains 1.0.0")).to_be_visible()
    assert server.get("/v2/models/domains/ready").status == 200
    visit.refusals.append(503)
    page.get_by_role("button", name="Load broken").click()
    page.get_by_role("dialog").get_by_role("button", name="Load").click()
    expect(page.get_by_role("status")).to_contain_text("MODEL_NOT_READY")


def test_the_repository_is_refreshed(tmp_path, browser):
    shutil.copytree(GOOD / "mlp", tmp_path / "mlp")
    with serving(tmp_path) as server:
        visit = Visit(browser, server)
        visit.models()
        shutil.copytree(GOOD / "strings", tmp_path / "strings")
        visit.page.get_by_role("button", name="Refresh the repository").click()
        visit.page.get_by_role("dialog").get_by_role("button", name="Refresh").click()
        expect(visit.page.get_by_role("link", name="strings 1.0.0")).to_be_visible()
        server.process.kill()
        server.process.wait()
        expect(visit.page.get_by_role("alert")).to_contain_text("The server does not answer")
        visit.faults = [each for each in visit.faults if "ERR_CONNECTION" not in each]
        visit.close()


def test_no_markup_and_no_foreign_script(visit):
    """What the policy refuses is told in the browser's console, so this page has a say in it."""
    visit.models()
    page = visit.page
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<b>x</b>'")
    page.evaluate(
        "() => { const script = document.createElement('script'); "
        "script.append('window.ran = true'); document.head.append(script) }"
    )
    assert page.evaluate("window.ran") is None
    reached = "fetch('http://127.0.0.1:9/').then(() => 'reached', () => 'refused')"
    assert page.evaluate(reached) == "refused"
    wanted = ("TrustedHTML", "TrustedScript", "Connecting to 'http://127.0.0.1:9/'")
    assert all(any(each in fault for fault in visit.faults) for each in wanted), visit.faults
    visit.faults.clear()


def test_by_keyboard_alone(visit):
    page = visit.page
    page.goto(f"{visit.origin}/console")
    expect(page.get_by_label("Management token")).to_be_focused()
    page.keyboard.type("secret")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="mlp 1.0.0").wait_for()
    visit.tab_to("Unload mlp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Unload mlp")).to_be_focused()
    visit.tab_to("mlp 1.0.0")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_role("button", name="Run").wait_for()
    visit.tab_to("Run")
    page.keyboard.press("Enter")
    expect(page.get_by_text("equals the golden case")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_labels_roles_and_contrast(browser, server, scheme):
    visit = Visit(browser, server, color_scheme=scheme)
    visit.page.goto(f"{visit.origin}/console")
    visit.page.get_by_label("Management token").wait_for()
    axe = Axe()
    for step in (lambda: None, visit.models, lambda: visit.version("dtypes"), visit.run):
        step()
        results = axe.run(visit.page)
        assert results.violations_count == 0, results.generate_report()
    visit.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(browser, server, width):
    visit = Visit(browser, server, viewport={"width": width, "height": 800})
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for step in (visit.models, lambda: visit.version("dtypes"), visit.run):
        step()
        assert visit.page.evaluate(wide) <= 0
    visit.close()
