"""Floor 0: what is true about incidents, in plain values.

Pure: the standard library and dateutil only. No clock, no database, no Slack client.
"""
