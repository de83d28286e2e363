"""How each notice is told to Slack. One file a subject; each file's SENDERS registers its notices.

A sender reads the facts as they are now, takes its steps through the errand (each step is remembered, so a
step that went well is never repeated), and lets `then` write down what follows from an answer.
"""
