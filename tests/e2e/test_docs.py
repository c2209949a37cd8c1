"""The README and the guides do what they say: every block is run."""

from __future__ import annotations

import pytest
from e2e import markdown, warm

PAGES = [
    markdown.REPOSITORY / "README.md",
    *sorted((markdown.REPOSITORY / "docs" / "guides").glob("*.md")),
]


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    with warm.programs(tmp_path_factory.mktemp("programs")) as folder:
        yield folder


LONG = ("training-on-spark.md",)
"""Pages of several minutes: every framework is trained on a cluster."""


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.soak] if page.name in LONG else []) for page in PAGES],
    ids=lambda page: page.name,
)
def test_every_block_of_the_page_runs(page, tmp_path, programs):
    found = [block for block in markdown.blocks(page) if block.not_run is None]
    assert found, f"{page.name} has no fenced block"
    for block in found:
        markdown.run(block, tmp_path, programs)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_of_the_page_is_used(page):
    found = markdown.blocks(page)
    for index, block in enumerate(found):
        if block.title is None:
            continue
        name = block.title.rpartition(".")[0]
        used = any(name in later.body for later in found[index + 1 :])
        assert used, f"{page.name}:{block.line}: nothing runs or imports {block.title}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_the_page_leads_somewhere(page):
    for link in markdown.links(page):
        assert (page.parent / link).exists(), f"{page.name}: {link}"
