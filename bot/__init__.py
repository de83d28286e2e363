"""Lantern: an incident-response bot for Slack that a team runs itself.

`docs/house.md` says what stands where and what may call what.
"""

__version__ = "0.1.0"
