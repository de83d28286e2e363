"""The colours. Each has a contrast of 4.4 with white and of 3.5 with a dark page (#1a1d21), or more: a test counts."""

from __future__ import annotations

from bot.domain.timeline import Kind

RED, ORANGE, GREEN, BLUE = "#cc3f55", "#b0640a", "#268350", "#2f79bd"
PURPLE, PINK, TEAL, GREY, SLATE = "#8660cf", "#b8509a", "#16808c", "#767676", "#6b7785"

#: What things are drawn in. Colour never tells alone: each kind has a lane with its name.
KINDS = {
    Kind.IMPACT: RED,
    Kind.DETECTION: ORANGE,
    Kind.ESCALATION: PINK,
    Kind.HYPOTHESIS: PURPLE,
    Kind.FINDING: PURPLE,
    Kind.DECISION: PURPLE,
    Kind.ACTION: BLUE,
    Kind.RUNBOOK: BLUE,
    Kind.DEAD_END: GREY,
    Kind.MITIGATION: GREEN,
    Kind.RESOLUTION: GREEN,
    Kind.COMMS: TEAL,
    Kind.NOTE: SLATE,
}

#: The colour of the text around the picture, fully and partly there. On paper: nearly black on white.
INK, FAINT, LINE, TINT = "ink", "faint", "line", "tint"
#: role -> how much of the ink shows.
STRENGTH = {INK: 1.0, FAINT: 0.72, LINE: 0.22, TINT: 0.09}
#: Under the number of a key time.
FLAG = "#6c7381"
#: For what stands on a colour.
ON_COLOUR = "#ffffff"
PAPER, PAPER_INK = "#ffffff", "#1d1c1d"
