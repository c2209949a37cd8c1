"""The README and the guides do what they say: every block is run."""

from __future__ import annotations

import pytest
from e2e import markdown

PAGES = [
    markdown.REPOSITORY / "README.md",
    *sorted((markdown.REPOSITORY / "docs" / "guides").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_the_page_runs(page, tmp_path):
    found = markdown.blocks(page)
    assert found, f"{page.name} has no fenced block"
    for block in found:
        if block.not_run is None:
            markdown.run(block, tmp_path)
