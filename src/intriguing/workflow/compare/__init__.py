"""Results of two commits side by side, with the causes of each difference.

Tables and claims come from git, Snakemake's records of how each file was made from DVC.
"""
