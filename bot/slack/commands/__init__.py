"""Sub-commands, one a file. A file is its own registration:

COMMAND, WORD   `/incident`, `status` ("" is what runs when no word fits)
USAGE           what follows the word, for help: `identified | monitoring`
SUMMARY         one line, for help
EXAMPLES        lines to copy
run(door, ask, rest) -> Answer

Optional: ALIASES (other words for it) and fits(rest) -> bool, for a word that people may also mean as prose.
"""
