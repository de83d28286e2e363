"""Floor 4: the web door. Health for machines, and the address to which Slack sends signed requests."""
