"""Floor 3: everything that can be done with an incident, each deed once, whichever door asks.

One use case = one function = one transaction = the change + its timeline entry + its notices.
A use case takes the desk first, plain values next, and keyword-only `by=`. It never calls Slack.
"""
