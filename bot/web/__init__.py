"""Floor 4: the web door. Health for machines, the address to which Slack sends signed requests, and the console."""
