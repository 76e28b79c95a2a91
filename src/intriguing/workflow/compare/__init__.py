"""Results of two commits side by side, and what lies upstream of each difference.

Uses what git and DVC hold: tables and claims from git, Snakemake's records of how each
file was made from DVC.
"""
