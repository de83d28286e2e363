"""Reading load balancers: one file a kind, found by `shelf.gather`.

KIND                                    the word in the catalogue
look(balancer, before=None) -> Sample   one look at the running balancer; raises NoReading with a sentence. `before` is
                                        the look before it, for the kinds that read on where that one ended (a log)
picture(before, after, balancer) -> Pool   what happened between two looks; raises NoReading
sniff(text) -> str                      which of this kind's answers a text is, by its content; "" for none

Read-only by construction: fixed commands and paths, addresses only from the catalogue, three seconds a look, a
size limit, no redirects (asking.py).
"""
