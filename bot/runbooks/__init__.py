"""Reads runbooks/*.md: other people's Markdown, judged by line and never trusted.

Nothing in a file can make the bot run something: shell blocks are text for people, and a check is a name from a closed
list.  A bad file is told in Problems, never raised; what can be shown of it is still given, because at night a runbook
with a fault is better than none.
"""
