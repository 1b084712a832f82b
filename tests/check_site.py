"""Check the built site: it fetches nothing from another host, no page of docs/ is missing, no block is left as text.

python tests/check_site.py <folder of the site>
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ELSEWHERE = re.compile(r"^(https?:)?//")
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}
NOT_FETCHED = {"canonical", "alternate", "next", "prev"}
IN_STYLES = re.compile(r"""(?:url\(|@import)\s*['"]?((?:https?:)?//[^'")\s]+)""")
DRAWN_BY_A_CDN = 'class="mermaid"'


class Fetches(HTMLParser):
    """What a browser gets for a page without a click, and the text that it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in FETCHED and given.get("rel") not in NOT_FETCHED:
            self.found.append(given.get(FETCHED[tag], ""))

    def handle_data(self, data: str) -> None:
        self.text += data


def problems(site: Path) -> Iterator[str]:
    """All that is wrong with a built site."""
    pages = sorted(site.rglob("*.html"))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        fetches = Fetches()
        fetches.feed(text)
        for address in fetches.found:
            if ELSEWHERE.match(address):
                yield f"{page.relative_to(site)} fetches {address}"
        if "```" in fetches.text:
            yield f"{page.relative_to(site)} shows the fence of a block: its first line is a language and nothing else"
        if DRAWN_BY_A_CDN in text:
            yield f"{page.relative_to(site)} has a picture that is drawn by a script of another host"
    for style in sorted(site.rglob("*.css")):
        for address in IN_STYLES.findall(style.read_text(encoding="utf-8")):
            yield f"{style.relative_to(site)} fetches {address}"
    for source in sorted((ROOT / "docs").rglob("*.md")):
        name = source.relative_to(ROOT / "docs").with_suffix("")
        place = name.parent if name.name == "index" else name
        if not (site / place / "index.html").is_file():
            yield f"docs/{name}.md is not in the site"


def main(arguments: list[str]) -> int:
    """Print the problems; 1 when there are some."""
    site = Path(arguments[0])
    found = list(problems(site))
    for problem in found:
        print(problem)
    print(f"{len(list(site.rglob('*.html')))} pages, {len(found)} problems")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
