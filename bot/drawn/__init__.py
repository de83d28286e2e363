"""Pictures: the timeline of one incident, and the charts of many.

A picture is laid out once, as shapes on a sheet, and then written as SVG (for pages and documents) or as PNG (for
Slack). SVG takes the colour of the text around it, so that it reads in light and in dark; it holds no script, no
style sheet, no font and no id, and what came from outside is text in it and nothing else.
"""
