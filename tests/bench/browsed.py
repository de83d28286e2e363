"""How soon the page of an incident with 10,000 entries can be used on a phone.  `python -m tests.bench.browsed`

A headless chromium, 390 pixels wide, at full speed and slowed down four times, as a phone is. "Usable" is when the
form takes what is typed: the page is parsed, the script has run, and the main thread is idle for a frame.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from tests.bench.ground import machine
from tests.bench.scale import grown
from tests.browsing import chromium
from tests.houses import Town
from tests.visiting import Visitor

_IDLE = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))"


def usable(browser: Browser, visitor: Visitor, path: str, slowed: int, picture: Path | None = None) -> str:
    """What the first visit of a browser without anything in its cache takes."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    context.add_cookies(
        [{"name": name, "value": value, "url": visitor.url} for name, value in visitor.cookies.items()]
    )
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    began = time.perf_counter()
    page.goto(visitor.url + path, wait_until="load", timeout=120_000)
    loaded = time.perf_counter() - began
    page.evaluate(_IDLE)
    if page.locator("#text").count():
        page.locator("#text").type("x")
    took = time.perf_counter() - began
    elements = page.evaluate("document.querySelectorAll('*').length")
    height = page.evaluate("document.documentElement.scrollHeight")
    if picture is not None:
        page.screenshot(path=picture)
    context.close()
    return f"loaded {loaded:5.2f} s, usable {took:5.2f} s, {elements:,} elements, {height:,} pixels high"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--pictures", type=Path, help="a folder for screenshots")
    wanted = parser.parse_args()
    print(f"{wanted.entries:,} entries  ({machine()})")
    with (
        tempfile.TemporaryDirectory() as folder,
        Town(f"sqlite:///{folder}/lantern.db", console=True) as town,
    ):
        visitor = Visitor(town)
        visitor.signs_in(town.ana.id)
        here = f"/incidents/{grown(town, wanted.entries).number}"
        with chromium() as browser:
            for what, path in (("in parts", here), ("all on one page", f"{here}?show=all")):
                for slowed in (1, 4):
                    name = f"{what.replace(' ', '-')}-{slowed}.png"
                    picture = wanted.pictures / name if wanted.pictures else None
                    told = usable(browser, visitor, path, slowed, picture)
                    print(f"  {what:16} slowed {slowed} times: {told}")


if __name__ == "__main__":
    main()
