"""Floor 2: SQL stops here.

Functions take a Session first and return frozen dataclasses of bot.domain that always have their id.
"""
