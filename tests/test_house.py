"""The house rules of docs/house.md that a machine can check."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOT = ROOT / "bot"
SOURCES = sorted(BOT.rglob("*.py"))

#: Path prefix (below bot/) -> floor. The longest prefix that fits counts.
FLOORS = {
    "domain/": 0,
    "settings.py": 0,
    "balancers/": 1,
    "catalogue.py": 1,
    "trackers/": 1,
    "tracker_kinds.py": 1,
    "tracker_wire.py": 1,
    "trials/": 1,
    "balancer_talk.py": 5,
    "incident_talk.py": 5,
    "picture.py": 1,
    "drawn/": 1,
    "exporters/": 1,
    "runbooks/": 1,
    "runbook_talk.py": 5,
    "postmortem_talk.py": 5,
    "mrkdwn.py": 1,
    "markdown_html.py": 1,
    "markdown_canvas.py": 1,
    "image_check.py": 1,
    "shelf.py": 1,
    "store/": 2,
    "usecases/": 3,
    "slack/": 4,
    "web/": 4,
    "delivery.py": 4,
    "filing.py": 4,
    "ticker.py": 4,
    "shelves.py": 5,
    "wiring.py": 5,
    "demo.py": 5,
    "demo_balancer.py": 5,
    "check.py": 5,
    "__main__.py": 5,
    "__init__.py": 0,
}
#: Rooms of one floor that never import each other.
ROOMS = ("slack/", "web/", "delivery.py", "filing.py", "ticker.py")
NAMES_NOT_USED = re.compile(
    r"(^|_)(manager|managers|handler|handlers|helper|helpers|util|utils|common|base|data|info|process)(_|$)|^do_"
)
#: Names that a library gives to what it calls.
GIVEN_NAMES = {"process_bind_param", "process_result_value"}


def below_bot(path: Path) -> str:
    return path.relative_to(BOT).as_posix()


def is_standin(path: Path) -> bool:
    return below_bot(path).startswith("standin/")


def floor_of(name: str) -> int | None:
    fits = [
        prefix for prefix in FLOORS if name == prefix or (prefix.endswith("/") and name.startswith(prefix))
    ]
    return FLOORS[max(fits, key=len)] if fits else None


def imports(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Line, dotted name, and whether it stands at the top of the file."""
    tree = parsed(path)
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield node.lineno, one.name, id(node) in top
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module, id(node) in top
            for one in node.names:
                yield node.lineno, f"{node.module}.{one.name}", id(node) in top


def file_of(dotted: str) -> str | None:
    """The file below bot/ that a dotted name of ours is; None for an attribute or another's module."""
    if not dotted.startswith("bot."):
        return None
    inside = dotted.removeprefix("bot.").replace(".", "/")
    if (BOT / f"{inside}.py").is_file():
        return f"{inside}.py"
    if (BOT / inside / "__init__.py").is_file():
        return f"{inside}/__init__.py"
    return None


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def of_each(paths: list[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """One test that judges every file and names all that fail: thousands of small tests would cost half a minute."""

    def made(check: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            assert paths, "there are files"
            faults = []
            for path in paths:
                try:
                    check(path)
                except AssertionError as fault:
                    faults.append(f"{below_bot(path)}: {fault}")
            assert not faults, "\n".join(faults)

        return test

    return made


@of_each(SOURCES)
def test_a_file_imports_its_own_room_and_lower_floors(path: Path) -> None:
    here = below_bot(path)
    if is_standin(path):
        strangers = [name for _, name, _ in imports(path) if name.startswith("bot") and "standin" not in name]
        assert strangers == [], f"{here} is a neighbour and imports {strangers}"
        return
    floor = floor_of(here)
    assert floor is not None, f"{here} stands on no floor: name it in docs/house.md and here"
    for line, name, _ in imports(path):
        if name.startswith("bot.standin"):
            assert here == "demo.py", f"{here}:{line} imports the neighbour"
            continue
        target = file_of(name)
        if target is None:
            continue
        there = floor_of(target)
        assert there is not None and there <= floor, f"{here}:{line} imports {target}, a higher floor"
        for room in ROOMS:
            if floor == 4 and target.startswith(room):
                assert here.startswith(room), f"{here}:{line} imports {target}, a room beside it"


@of_each(SOURCES)
def test_libraries_are_named_in_their_own_rooms_only(path: Path) -> None:
    here = below_bot(path)
    allowed = {
        "slack_bolt": ("slack/", "wiring.py"),
        "slack_sdk": ("slack/", "wiring.py"),
        "sqlalchemy": ("store/", "check.py"),
        "alembic": ("store/",),
        "starlette": ("web/", "standin/", "wiring.py"),
        "uvicorn": ("web/", "standin/"),
    }
    for line, name, _ in imports(path):
        rooms = allowed.get(name.split(".")[0])
        assert rooms is None or here.startswith(rooms), f"{here}:{line} names {name}"


@of_each([path for path in SOURCES if below_bot(path) != "__main__.py"])
def test_imports_stand_at_the_top(path: Path) -> None:
    late = [(line, name) for line, name, is_top in imports(path) if not is_top]
    assert late == [], f"{below_bot(path)} imports late: {late}"


@of_each(SOURCES)
def test_files_and_functions_do_one_thing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400, f"{below_bot(path)} does a second thing: find its name"
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 60, f"{below_bot(path)}:{node.lineno} {node.name} has {length} lines"


@of_each(SOURCES)
def test_names_say_what_a_thing_is(path: Path) -> None:
    # A sub-command's file is called what people type.
    if not below_bot(path).startswith("slack/commands/"):
        assert not NAMES_NOT_USED.search(path.stem.strip("_")), path
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name not in GIVEN_NAMES:
            plain = re.sub(r"(?<!^)(?=[A-Z])", "_", node.name).lower()
            assert not NAMES_NOT_USED.search(plain), f"{below_bot(path)}:{node.lineno} {node.name}"


@of_each(SOURCES)
def test_broad_excepts_stand_where_the_work_is_tried_again(path: Path) -> None:
    if below_bot(path) in {"delivery.py", "ticker.py", "store/together.py"}:
        return
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ExceptHandler):
            named = ast.unparse(node.type) if node.type is not None else ""
            assert named not in {"", "Exception", "BaseException"}, f"{below_bot(path)}:{node.lineno}"


@of_each([path for path in SOURCES if not is_standin(path)])
def test_slacks_dicts_stop_in_ask(path: Path) -> None:
    if below_bot(path) in {"slack/ask.py"}:
        return
    assert 'body["' not in path.read_text(encoding="utf-8"), f"{below_bot(path)}: add a field to Ask"


@of_each([path for path in SOURCES if not is_standin(path)])
def test_nothing_but_wiring_reads_the_clock(path: Path) -> None:
    if below_bot(path) == "wiring.py":
        return
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"datetime\.(now|utcnow|today)\(|date\.today\(", text), below_bot(path)


def test_use_cases_name_who_acts() -> None:
    """Nobody changes anything anonymously: what takes a desk and an incident and writes takes `by` by keyword."""
    for path in sorted((BOT / "usecases").glob("*.py")):
        for node in parsed(path).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            names = [argument.arg for argument in node.args.args]
            keywords = [argument.arg for argument in node.args.kwonlyargs]
            if names[:2] == ["desk", "incident_id"] and "origin" in keywords:
                assert "by" in keywords, f"{path.name}:{node.lineno} {node.name}"


def test_no_text_names_the_machine_it_was_written_on() -> None:
    path_of_a_machine = r"(?<![\w.])/(?:work|farm|home/\w+|root)/"
    mock = r"|import.*unittest\.mock|from unittest import mock|MagicMock\("
    for path in [*ROOT.rglob("*.py"), *ROOT.rglob("*.md"), *ROOT.glob("*.toml"), *ROOT.glob("*.yaml")]:
        inside = path.relative_to(ROOT).as_posix()
        if inside.startswith((".venv", ".git/", "node_modules")) or path == Path(__file__).resolve():
            continue
        bad = path_of_a_machine + (mock if path.suffix == ".py" else "")
        found = re.search(bad, path.read_text(encoding="utf-8"))
        assert found is None, f"{inside}: {found}"
