"""Everything about incidents in one file: it comes out as it went in, on whichever engine."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.domain.refusals import Refusal
from bot.settings import Settings, shipped
from bot.store import archive as rows
from bot.store import schema
from bot.store.db import Database
from bot.store.metadata import metadata
from bot.usecases import archive, sections
from bot.usecases.desk import Desk
from bot.usecases.postmortem import Closing, close_incident
from bot.wiring import build_desk
from tests import postgres
from tests.conftest import missing
from tests.houses import Town
from tests.pictures import picture
from tests.rooms import Room, hasty_town, opened

#: Tables that belong to no incident, or to this one database: each with why an archive leaves it out.
LEFT_OUT = {
    "counter": "numbers given out here",
    "inbox": "what arrived here",
    "work": "what this Lantern has to tell Slack",
    "work_step": "likewise",
    "gate": "when Slack may be asked again",
    "person": "those who are named are in people.jsonl",
    "channel": "likewise",
    "sign_in": "who is signed in to this console",
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("archive")) as here:
        yield here


@pytest.fixture(scope="module")
def told(town: Town) -> Room:
    """An incident with something in every table, and a private one beside it."""
    room = opened(town, "/incident open logins\u2028fail “für viele” sev1")
    room.types("/log detection: alarms on login")
    room.types("/log edit 2 detection: alarms on every login")
    room.types("/log a wrong line")
    room.types("/log undo")
    room.types(f"/incident follow-up review the weights <@{town.ben.id}|ben> by 2099-01-31")
    room.types("/incident lesson lucky it was noon")
    room.types("/incident update a fix is coming")
    room.types("/incident role scribe me")
    room.types("/runbook start lb-uneven-traffic")
    town.ana.clicks(room.message("step 1 of"), "Done")
    shown = town.ana.uploads(room.channel, "graph.png", picture(), "see the graph")
    town.ana.reacts(shown["ts"], "pushpin", room.channel)
    room.only("see the graph")
    close_incident(town.house.desk, room.about.id, Closing(cause="the weights"), by=town.ana.id)
    sections.add_section(town.house.desk, room.about.id, "Thanks", "to everybody", by=town.ana.id)
    room.types("/postmortem publish")
    secret = opened(town, "/incident open payroll leaked sev2 private")
    secret.types("/log a mail went out")
    town.settled()
    return room


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """The desk of an empty database."""
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    if request.param == "postgresql":
        try:
            url = postgres.new_database(postgres.shared_cluster())
        except postgres.NoPostgres as absent:
            missing(f"PostgreSQL is not installed: {absent}.")
    db = Database(url)
    schema.migrate(db, shipped("migrations"))
    yield build_desk(Settings.model_validate({"database_url": url}), db, ring=lambda: None)
    db.close()


def test_no_table_is_forgotten() -> None:
    kept = {table.name for table, _ in rows.belonging()} | {"incident"}
    assert kept | set(LEFT_OUT) == set(metadata.tables)
    assert not kept & set(LEFT_OUT)


def test_out_and_in_and_out_again_gives_the_same_bytes(
    town: Town, told: Room, elsewhere: Desk, tmp_path: Path
) -> None:
    first, again, third = (tmp_path / f"{name}.zip" for name in ("first", "again", "third"))
    done = archive.export(town.house.desk, first)
    assert set(done.incidents) >= {told.number, told.number + 1}
    taken = archive.carry_in(elsewhere, first)
    assert taken.incidents == done.incidents
    archive.export(elsewhere, again)
    assert again.read_bytes() == first.read_bytes()
    # A second time it is all there already, and nothing is doubled.
    assert archive.carry_in(elsewhere, first).known == done.incidents
    archive.export(elsewhere, third)
    assert third.read_bytes() == first.read_bytes()
    with elsewhere.db.reading() as session:
        found = {name for number in done.incidents for name, _ in rows.records(session, number)}
    assert found == {table.name for table, _ in rows.belonging()} - {"reading"} | {"incident"}
    # Life goes on under the next number.
    with elsewhere.db.writing() as session:
        from_here = session.exec_driver_sql("SELECT value FROM counter WHERE name = 'incident'").scalar_one()
    assert from_here == max(done.incidents)


def test_one_incident_goes_alone_and_takes_only_its_own_people(
    town: Town, told: Room, tmp_path: Path
) -> None:
    file = tmp_path / "one.zip"
    assert archive.export(town.house.desk, file, [told.number]).incidents == [told.number]
    with zipfile.ZipFile(file) as packed:
        slug = told.about.slug
        assert sorted(packed.namelist()) == sorted(
            ["archive.json", "channels.jsonl", "people.jsonl", f"{slug}/postmortem.md", f"{slug}/rows.jsonl"]
        )
        everything = b"".join(packed.read(name) for name in packed.namelist()).decode()
        assert "## Thanks\n\nto everybody" in packed.read(f"{slug}/postmortem.md").decode()
    assert "payroll" not in everything
    assert town.ana.id in everything and town.dev.id not in everything


def broken(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A copy of an archive with its files changed."""
    with zipfile.ZipFile(file) as packed:
        found = {name: packed.read(name) for name in packed.namelist()}
    change(found)
    made = file.with_name("broken.zip")
    with zipfile.ZipFile(made, "w") as packed:
        for name, content in found.items():
            packed.writestr(name, content)
    return made


def _head(**changes: object) -> Callable[[dict[str, bytes]], None]:
    def change(found: dict[str, bytes]) -> None:
        found["archive.json"] = json.dumps(json.loads(found["archive.json"]) | changes).encode()

    return change


def _in_rows(old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(found: dict[str, bytes]) -> None:
        rows = [name for name in found if name.endswith("rows.jsonl") and old in found[name]]
        assert rows, f"no row holds {old!r}"
        for name in rows:
            found[name] = found[name].replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_head(format=2), "written by a newer Lantern"),
        (_head(incidents=[4711]), "no archive of Lantern, or it is damaged"),
        (_head(incidents="all"), "no archive of Lantern, or it is damaged"),
        (lambda found: found.pop("archive.json"), "no archive of Lantern, or it is damaged"),
        (_in_rows(b'{"row"', b'{"raw"'), "a line is no record"),
        (
            _in_rows(b'"table":"entry"', b'"table":"passwd"'),
            "rows of `passwd`, which this version does not know",
        ),
        (_in_rows(b'"happened_at":"2', b'"happened_at":"x'), "a row cannot be read"),
        (_in_rows(b'"entry_id":1', b'"entry_id":99'), "a row cannot be read"),
        (_in_rows(b'"entry_id":1', b'"entry_id":-1'), "a row cannot be read"),
        (_in_rows(b'"number":', b'"number":9'), "is not what its name says"),
    ],
)
def test_what_is_wrong_with_an_archive_is_said_and_nothing_is_added(
    town: Town,
    told: Room,
    elsewhere: Desk,
    tmp_path: Path,
    change: Callable[[dict[str, bytes]], None],
    sentence: str,
) -> None:
    file = tmp_path / "good.zip"
    archive.export(town.house.desk, file, [told.number])
    with pytest.raises(Refusal) as refused:
        archive.carry_in(elsewhere, broken(file, change))
    assert sentence in refused.value.sentence
    with elsewhere.db.reading() as session:
        assert rows.numbers(session) == []


def test_an_incident_that_went_on_meanwhile_is_not_written_over(
    town: Town, told: Room, elsewhere: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "before.zip"
    archive.export(town.house.desk, file, [told.number])
    archive.carry_in(elsewhere, file)
    with elsewhere.db.writing() as session:
        session.exec_driver_sql("UPDATE incident SET title = 'another'")
    with pytest.raises(Refusal, match="is here already and differs"):
        archive.carry_in(elsewhere, file)


def test_an_archive_of_an_older_lantern_lacks_columns_and_is_the_same_all_the_same(
    town: Town, told: Room, elsewhere: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "new.zip"
    archive.export(town.house.desk, file, [told.number])
    old = broken(file, _in_rows(b'"tracker_mark":null,', b""))
    for known in ([], [told.number]):
        assert archive.carry_in(elsewhere, old).known == known
    assert archive.carry_in(elsewhere, file).known == [told.number]


def test_from_the_command_line(
    town: Town,
    told: Room,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, other = tmp_path / "all.zip", tmp_path / "other" / "lantern.db"
    monkeypatch.setenv("LANTERN_DATABASE_URL", town.house.db.url.render_as_string(hide_password=False))
    assert main(["export", str(file)]) == 0
    assert "Keep it as safe as the database." in capsys.readouterr().out
    assert main(["export", str(file)]) == 1
    assert "exists. Give another name" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "x.zip"), "inc-4711"]) == 1
    assert "There is no incident" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "nowhere" / "x.zip")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    monkeypatch.setenv("LANTERN_DATABASE_URL", f"sqlite:///{other}")
    assert main(["import", str(file)]) == 0
    assert "Added" in capsys.readouterr().out
    assert main(["import", str(file)]) == 0
    assert "were here already, just so" in capsys.readouterr().out
    assert main(["import", str(tmp_path / "none.zip")]) == 1
    assert "There is no file" in capsys.readouterr().err
    assert main(["import", str(Path(__file__))]) == 1
    assert "no archive of Lantern" in capsys.readouterr().err
