"""A stand-in Slack workspace over real HTTP and WebSockets: a neighbour of the bot, importing nothing of it."""
