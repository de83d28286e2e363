"""Floor 4: the Slack door. Slack's words become ours here (ask.py), and ours become Slack's (blocks, senders).

Listeners read, commit, answer, inside Slack's three seconds. A listener never writes to Slack, but for
opening a view: trigger ids live three seconds. All other writing is the postman's, through senders/.
"""
