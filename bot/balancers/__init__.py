"""Reading load balancers: one file a kind. Each turns raw readings into a bot.domain.pool.Pool.

Read-only by construction: fixed commands and paths, addresses only from the catalogue, three seconds, a size limit.
"""
