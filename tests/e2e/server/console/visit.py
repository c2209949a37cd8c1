"""Headless Chromium on the console, and all that a page asked for and complained of."""

from __future__ import annotations

import contextlib
import shutil

from playwright.sync_api import ConsoleMessage, Page, sync_playwright

INSTALL = "chromium is not there: apt-get install --no-install-recommends chromium"


@contextlib.contextmanager
def chromium():
    path = shutil.which("chromium")
    assert path, INSTALL
    with sync_playwright() as playwright:
        # Its sandbox does not start for root, which containers run as.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        with contextlib.closing(browser):
            yield browser


class Visit:
    """A page of a context of its own; `close` tells what should not have happened in it."""

    def __init__(self, browser, server, **context) -> None:
        self.origin = f"http://{server.management}"
        self.context = browser.new_context(**context)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.refusals: list[int] = []
        self.faults: list[str] = []
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", self._asked)
        self.page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))

    def _told(self, message: ConsoleMessage) -> None:
        # Chromium tells of each refused call; a test says which it wanted.
        refused = [status for status in self.refusals if f"status of {status} " in message.text]
        if message.type in ("error", "warning") and not refused:
            self.faults.append(f"console: {message.text}")

    def _asked(self, request) -> None:
        if not request.url.startswith((self.origin + "/", "blob:")):
            self.faults.append(f"request: {request.url}")

    def sign_in(self, token="secret") -> None:
        self.page.goto(f"{self.origin}/console")
        self.page.get_by_label("Management token").fill(token)
        self.page.get_by_role("button", name="Sign in").click()

    def models(self) -> None:
        """Signed in, with the list of models drawn."""
        if self.page.url == "about:blank" or not self.page.evaluate("sessionStorage.length"):
            self.sign_in()
        else:
            self.page.get_by_role("link", name="Sealane").click()
        self.page.get_by_role("link", name="mlp 1.0.0").wait_for()

    def version(self, model, version="1.0.0") -> None:
        """Signed in, with a version's form drawn."""
        self.models()
        self.page.get_by_role("link", name=f"{model} {version}", exact=True).click()
        self.page.get_by_role("button", name="Run").wait_for()

    def run(self) -> None:
        self.page.get_by_role("button", name="Run").click()
        self.page.locator(".said, .refused").wait_for()

    def tab_to(self, name) -> None:
        """Tab until the element of that text or label has the focus."""
        said = "document.activeElement.ariaLabel || document.activeElement.textContent"
        for _ in range(80):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(said).strip() == name:
                return
        raise AssertionError(f"the keyboard does not reach {name}")

    def close(self) -> None:
        self.context.close()
        assert not self.faults, self.faults
