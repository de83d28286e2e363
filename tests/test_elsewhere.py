"""Runbooks written for other libraries: read as far as they go, with warnings only and nothing of them lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.runbook import Phase, Runbook
from bot.domain.suggestion import suggest
from bot.runbooks.elsewhere import slug
from bot.runbooks.reading import read_runbook
from tests.test_runbooks import TODAY, line_of, write

#: As the Prometheus operator's library has them: Hugo's front matter, four sections of prose.
PROMETHEUS = """\
---
title: Queue Worker Stuck
weight: 20
---

# QueueWorkerStuck

## Meaning

The worker has taken nothing from its queue for a quarter of an hour.

A second paragraph of it.

## Impact

Mails go out late.

<details>
<summary>More</summary>
They are not lost.
</details>

## Diagnosis

- Look at the events: `kubectl -n $NAMESPACE get events`.
- **Careful:** the pod may be new.

```shell
kubectl -n $NAMESPACE describe pod $POD
```

## Mitigation

Restart it, see [the manual][1].

[1]: https://example.com/manual
"""

#: As OpenShift's library has them: no front matter, numbered lists, text before the first heading.
OPENSHIFT = """\
# WorkerNodeDown

## Meaning

A node does not report.

## Diagnosis

Log in to the cluster first.

1. **Check that the node is there:**

   ```bash
   oc get nodes
   ```

   It should say `Ready`.

2. Look at its events. They are kept for an hour:

   ```console
   $ oc get events
   ```

3. Ask the [network](https://example.com/network) people

Then wait.

## Mitigation

The cluster heals itself within ten minutes.

```console
$ oc get machines
```

### Restart the node

1. Drain it.
2. Restart it.

### Replace the node

Delete its machine.

## Notes

Nodes have names.
"""


def read(folder: Path, text: str, name: str) -> Runbook:
    """The runbook, after a look that nothing but warnings was said."""
    runbook, problems = read_runbook(write(folder / "runbooks", text, name), today=TODAY)
    assert runbook is not None
    assert problems
    assert not [str(one) for one in problems if one.is_error]
    return runbook


def test_a_file_of_four_sections_of_prose_is_two_steps(tmp_path: Path) -> None:
    runbook = read(tmp_path, PROMETHEUS, "QueueWorkerStuck.md")
    assert (runbook.id, runbook.title, runbook.alerts) == (
        "queueworkerstuck",
        "QueueWorkerStuck",
        ("QueueWorkerStuck",),
    )
    assert runbook.summary == "The worker has taken nothing from its queue for a quarter of an hour."
    assert "A second paragraph" in runbook.background and "Mails go out late." in runbook.background
    look, restart = runbook.steps
    assert (look.title, look.phase, look.fields) == ("Diagnosis", Phase.CONFIRM, ())
    assert look.commands[0].text == "kubectl -n $NAMESPACE describe pod $POD"
    assert "**Careful:** the pod may be new." in look.prose
    assert (restart.title, restart.phase) == ("Mitigation", Phase.MITIGATE)
    assert restart.prose.startswith("Restart it, see [the manual](https://example.com/manual).")


def test_only_what_matters_is_told_of_it(tmp_path: Path) -> None:
    _, problems = read_runbook(write(tmp_path / "runbooks", PROMETHEUS, "QueueWorkerStuck.md"), today=TODAY)
    assert [(one.rule, one.line) for one in problems] == [
        ("file-foreign", 1),
        ("undo-missing", line_of(PROMETHEUS, "## Mitigation")),
    ]


def test_the_items_of_a_numbered_list_are_steps_and_nothing_is_lost(tmp_path: Path) -> None:
    runbook = read(tmp_path, OPENSHIFT, "WorkerNodeDown.md")
    assert [(step.title, step.phase.value) for step in runbook.steps] == [
        ("Check that the node is there", "Confirm"),
        ("Look at its events", "Confirm"),
        ("Ask the network people", "Confirm"),
        ("Mitigation", "Mitigate"),
        ("Restart the node", "Mitigate"),
        ("Replace the node", "Mitigate"),
    ]
    first, second, third, fourth, fifth, _ = runbook.steps
    assert first.prose == "Log in to the cluster first.\n\nIt should say `Ready`."
    assert [one.text for one in first.commands] == ["oc get nodes"]
    assert second.prose == "Look at its events. They are kept for an hour:"
    assert [(one.language, one.text) for one in second.commands] == [("console", "$ oc get events")]
    assert third.prose.startswith("Ask the [network](https://example.com/network) people")
    assert third.prose.endswith("Then wait.")
    assert fourth.prose == "The cluster heals itself within ten minutes."
    assert [one.text for one in fourth.commands] == ["$ oc get machines"]
    assert fifth.prose == "1. Drain it.\n2. Restart it."
    assert len({step.id for step in runbook.steps}) == 6
    assert "Nodes have names." in runbook.background


def test_it_is_suggested_by_its_alert(tmp_path: Path) -> None:
    runbook = read(tmp_path, OPENSHIFT, "WorkerNodeDown.md")
    (found,) = suggest({runbook.id: runbook}, "", alerts=["WorkerNodeDown"])
    assert found.reason == "alert WorkerNodeDown"


@pytest.mark.parametrize("first", ["id: lb-good", "triggers: {words: [slow]}", "area: queue"])
def test_a_file_with_a_key_of_ours_is_judged_as_one_of_ours(tmp_path: Path, first: str) -> None:
    text = f"---\n{first}\n---\n{OPENSHIFT}"
    _, problems = read_runbook(write(tmp_path / "runbooks", text), today=TODAY)
    assert {"key-missing", "section-foreign", "section-unknown"} <= {one.rule for one in problems}
    assert any(one.is_error for one in problems)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("KubePodCrashLooping", "kubepodcrashlooping"),
        ("Node down (again)", "node-down-again"),
        ("etcd_no_leader", "etcd-no-leader"),
        ("Ä" * 70, ""),
        ("x" * 80, "x" * 64),
    ],
)
def test_a_file_name_becomes_an_id_that_people_can_type(name: str, wanted: str) -> None:
    assert slug(name) == wanted
