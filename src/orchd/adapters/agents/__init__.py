"""One module per agent program: how it is started, how its stream is read, and what its end means.

Rule: standard library and `orchd.model` only, because these modules run inside supervisors.
"""
