"""A runbook's checks: which balancer they read, for how long, and what becomes of a figure that it does not tell."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.store.work_tables import work
from tests.houses import Town, until
from tests.test_haproxy import NAMES, backend, row
from tests.test_runbooks import GOOD, write


@pytest.fixture
def statistics() -> Iterator[str]:
    """HAProxy's statistics page as CSV, busier by 300 requests at each look; nothing in it speaks of limits."""
    looks = {"be_auth": 0, "be_api": 0}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            lines = [f"# {NAMES}"]
            for proxy in looks:
                looks[proxy] += 300
                lines += [row(f"s{at}", proxy, stot=looks[proxy] // 2, hrsp_5xx=0) for at in (1, 2)]
                lines.append(backend(looks[proxy]).replace("be_auth", proxy))
            self.send_response(200)
            self.end_headers()
            self.wfile.write("\n".join(lines).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/stats"
    server.shutdown()
    server.server_close()


def pages(folder: Path) -> Path:
    """A runbook whose three checks ask about the second balancer, an unknown one, and what cannot be read."""
    check = GOOD[GOOD.index("```yaml check") : GOOD.index("```sh haproxy")]
    text = GOOD.replace(check, check.replace('"{{ backend }}"', 'be_api\nwindow: "1s"'))
    unknown = check.replace('"{{ backend }}"', "be_gone")
    silent = '```yaml check\nrun: lb.limits\nbackend: be_api\nexpect:\n  front_used: "< 0.9"\n```\n'
    text = text.replace("Wait ten minutes.", unknown).replace(
        "## Links", f"## Prevent\n\n### 4. Look at the limits\n\n{silent}\n## Links"
    )
    write(folder / "pages", text)
    return folder / "pages"


def asked(town: Town) -> list[dict[str, Any]]:
    """The readings that steps asked for."""
    with town.house.db.reading() as session:
        rows = session.execute(select(work.c.args).where(work.c.kind == "BalancerAsked").order_by(work.c.id))
        return [args for (args,) in rows if args.get("run_id")]


def test_a_check_reads_the_balancer_it_names_for_as_long_as_it_says(
    tmp_path: Path, sqlite_url: str, statistics: str
) -> None:
    book = tmp_path / "catalogue.yaml"
    balancers = [
        f"      - {{kind: haproxy, address: '{statistics}', backend: {name}}}\n"
        for name in ("be_auth", "be_api")
    ]
    book.write_text("services:\n  login:\n    words: [logins]\n    balancers:\n" + "".join(balancers))
    settings = {"catalogue": book, "runbooks": pages(tmp_path), "balancer_window": 1.0}
    with Town(sqlite_url, settings=settings) as town:
        channel = town.opened("/incident open Logins fail sev1")
        town.ana.types("/runbook start lb-good", channel)
        town.ana.clicks(town.ana.waits_for_message(channel, "step 1 of"), "Read the balancer")
        town.ana.waits_for_message(channel, "as expected: off_target_share 0 %", 20)
        assert [(one["which"], one["window"]) for one in asked(town)] == [(1, 1.0)]
        town.ana.clicks(town.ana.waits_for_message(channel, "step 2 of"), "Skip")
        third = town.ana.waits_for_message(channel, "step 3 of")
        town.ana.clicks(third, "Read the balancer")
        until(
            lambda: "`be_gone`; the catalogue has `be_auth`, `be_api` for login" in whispered(town),
            10,
            "no refusal",
        )
        town.ana.clicks(third, "Skip")
        town.ana.clicks(town.ana.waits_for_message(channel, "step 4 of"), "Read the balancer")
        words = "step 4 cannot be judged: front_used cannot be read from this balancer. Mark it by hand."
        town.ana.waits_for_message(channel, words, 20)
        assert "Failed" in str(town.ana.waits_for_message(channel, "step 4 of")["blocks"])


def whispered(town: Town) -> str:
    """Everything that was said to one person alone."""
    return str([call.args for call in town.standin.calls("chat.postEphemeral")])
