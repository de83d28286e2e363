"""Modals, one a file. A file is its own registration:

CALLBACK               the callback id
view(...)              the view to open
submitted(door, ask)   what a submission does; raises Refusal, shown under its field
"""
