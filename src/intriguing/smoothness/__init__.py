"""Why local smoothness fails: a designed experiment on many small networks.

In reading order: `design` says which networks, `training` trains them in batches,
`measures` attacks them, `effects` divides what was found among the factors, `trend`
extrapolates to more training images, `planted` is a problem with a known optimum.
"""
