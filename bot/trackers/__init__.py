"""Issue trackers that a follow-up can be sent to. One file each: KIND, NAME, EXAMPLE and connect(place) -> Tracker.

A file of this room knows its tracker's API and nothing of incidents. What an issue says comes as plain text; the file
writes it so that nothing of it calls a person, names another issue or is a command. find() must see what was created
seconds ago: ask what reads the tracker's database, not its search index (docs/decisions/0015-trackers.md).
"""
