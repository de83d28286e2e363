"""Trying a balancer's configuration before it is deployed: started on loopback, before stub servers, for a second.

`haproxy -c` and `nginx -t` say whether a file can be loaded. They accept weights of 200/10/10/10, a forgotten
`backup`, a hash over a path that is always the same. What only traffic shows is shown here by traffic.
"""
